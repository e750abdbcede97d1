// What is remembered of groups that are taken back for others: since when that is wanted, because nodes that are just
// coming may make it needless, and for whom it was done, because the holder must not ask for nodes again that the other
// still waits for. It is lost with the process, which costs one more such round.
import type { Contest, PartialGroup } from "./partial-groups.ts";

/** For so long groups stand in each other's way before one is taken back: nodes that come together come in this time. */
const patienceMs = 20_000;

export class GivenBack {
  readonly #monotonicMs: () => number;
  /** By holder. */
  readonly #wanted = new Map<string, { readonly contest: string; readonly sinceMs: number }>();
  /** The uid of the group for which a holder gave back some, by holder. */
  readonly #for = new Map<string, string>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Seconds until groups of the holder are to be taken back; from then on it stands behind the group they go for. */
  dueIn(holder: string, contest: Contest | undefined): number | undefined {
    if (contest === undefined || !contest.back.some((group) => group.holder === holder)) {
      this.#wanted.delete(holder);
      return undefined;
    }
    const nowMs = this.#monotonicMs();
    const { first, back } = contest;
    const key = `${first.uid} ${first.lacks} ${back.map(({ uid }) => uid).join(" ")}`;
    const before = this.#wanted.get(holder);
    const wanted = before?.contest === key ? before : { contest: key, sinceMs: nowMs };
    this.#wanted.set(holder, wanted);
    const ms = Math.max(0, wanted.sinceMs + patienceMs - nowMs);
    if (ms === 0) this.#for.set(holder, first.uid);
    return ms / 1000;
  }

  /** Whether the holder gave back a group for one that still lacks nodes. */
  standsBehind(holder: string, groups: readonly PartialGroup[]): boolean {
    const uid = this.#for.get(holder);
    if (uid === undefined) return false;
    return groups.some((group) => group.uid === uid && group.shortage !== "more");
  }

  forget(holder: string): void {
    this.#wanted.delete(holder);
    this.#for.delete(holder);
  }
}
