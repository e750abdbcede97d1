// Pods that were decided on and have no node yet, of every LlamaDeployment: kube-scheduler may put each of them on a
// free node at any time, so their GPUs are not free, though no node says so. The cache shows most of them, after a
// restart too: what the workloads ask for less the pods that are placed. What was decided a moment ago is remembered
// here until the holder's next pass, which begins with everything in the cache that the one before it made.
//
// A holder is counted anew after something of it changed, when somebody asks: it costs its own objects, once a burst.
import { isDeepStrictEqual } from "node:util";
import { madePods, type AssumedWorkload, type MadePods, type WorkloadSources } from "./made-pods.ts";
import { UnmadePods } from "./unmade-pods.ts";

export class AssumedPods {
  readonly #sources: WorkloadSources;
  readonly #monotonicMs: () => number;
  readonly #unmade: UnmadePods;
  /** Decided on in the holder's last pass: by holder, by the workload's name. */
  readonly #decided = new Map<string, Map<string, AssumedWorkload>>();
  readonly #made = new Map<string, readonly MadePods[]>();
  /** Those of {@link #made} with pods that have no node: by pool, by holder. */
  readonly #unplaced = new Map<string, Map<string, readonly MadePods[]>>();
  /** Holders to be counted anew, with the time of their last change. */
  readonly #stale = new Map<string, number>();
  /** Holders with pods on nodes that the cache does not show yet. */
  readonly #aheadOfNodes = new Set<string>();
  readonly #changedPools = new Set<string>();

  constructor(sources: WorkloadSources, monotonicMs: () => number) {
    this.#sources = sources;
    this.#monotonicMs = monotonicMs;
    this.#unmade = new UnmadePods(monotonicMs);
  }

  /** Counts a workload that is about to be written from now on. */
  assume(workload: string, decided: AssumedWorkload): void {
    const { holder } = decided;
    const workloads = this.#decided.get(holder) ?? new Map<string, AssumedWorkload>();
    this.#decided.set(holder, workloads.set(workload, decided));
    this.changed(holder);
  }

  /** Forgets what was decided in the holder's last pass: it is in the cache by now, or was not made. */
  release(holder: string): void {
    if (this.#decided.delete(holder)) this.changed(holder);
  }

  /** An object of the holder came, went or changed. */
  changed(holder: string): void {
    this.#stale.set(holder, this.#monotonicMs());
  }

  /** A node came. */
  nodeAdded(): void {
    for (const holder of this.#aheadOfNodes) this.changed(holder);
  }

  /** Counts what has changed. Returns the pools with other numbers than before the last such call. */
  takeChangedPools(): ReadonlySet<string> {
    this.#recount();
    const pools = new Set(this.#changedPools);
    this.#changedPools.clear();
    return pools;
  }

  /** Milliseconds until the numbers change though no object does: pods that nobody makes stop counting. */
  dueInMs(): number | undefined {
    this.#recount();
    return this.#unmade.dueInMs();
  }

  /** Pods without a node in a pool, of everybody. */
  *unplaced(pool: string): Iterable<MadePods> {
    this.#recount();
    for (const made of this.#unplaced.get(pool)?.values() ?? []) yield* made;
  }

  /** What one holder has made. */
  of(holder: string): readonly MadePods[] {
    this.#recount();
    return this.#made.get(holder) ?? [];
  }

  #recount(): void {
    for (const holder of this.#unmade.takeDue()) this.changed(holder);
    for (const [holder, changedMs] of this.#stale) {
      const before = this.#made.get(holder) ?? [];
      const decided = this.#decided.get(holder);
      const refusedOf = (shapes: ReadonlyMap<string, string>): ReadonlySet<string> =>
        this.#unmade.observe(holder, shapes, changedMs);
      const { made: after, isAheadOfNodes } = madePods(this.#sources, holder, refusedOf, decided);
      if (isAheadOfNodes) this.#aheadOfNodes.add(holder);
      else this.#aheadOfNodes.delete(holder);
      if (isDeepStrictEqual(before, after)) continue;
      if (after.length === 0) this.#made.delete(holder);
      else this.#made.set(holder, after);
      for (const { pool } of [...before, ...after]) this.#index(pool, holder, after);
    }
    this.#stale.clear();
  }

  #index(pool: string, holder: string, made: readonly MadePods[]): void {
    this.#changedPools.add(pool);
    const waiting = made.filter(
      (each) => each.pool === pool && (each.unplaced > 0 || each.partial.length > 0),
    );
    const holders = this.#unplaced.get(pool) ?? new Map<string, readonly MadePods[]>();
    if (waiting.length > 0) this.#unplaced.set(pool, holders.set(holder, waiting));
    else if (holders.delete(holder) && holders.size === 0) this.#unplaced.delete(pool);
  }
}
