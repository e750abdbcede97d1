// Takes out of workloads what others added to their pods: `kubectl set env`, a sidecar. Server-side apply puts back what
// was changed and leaves additions. Each change of a template restarts pods, so that somebody who adds the same again
// and again, as another controller may, is let be for a time: a fight would restart pods for ever. Of the workloads of one
// object, one is repaired after the other: the next once all replicas answer again.
import { findAdditions } from "@llama-operator/kube-runtime/apply";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { isTerminating, type KubeObject } from "@llama-operator/kube-runtime/client";
import { childTypeOf } from "../../observed/kinds.ts";
import type { Workload } from "../../workloads/desired.ts";
import type { Pass } from "../pass.ts";
import type { Scope } from "../scope.ts";
import type { LiveWorkload } from "../replicas/replica.ts";

/** What somebody added to the pods of a workload. */
export interface Tampering {
  readonly workload: { readonly kind: string; readonly name: string };
  readonly paths: readonly string[];
  /** Whether it was taken out; else it is left for now. */
  readonly isRepaired: boolean;
}

/** For so long what was taken out of a workload is not taken out of it again. */
const restMs = 3_600_000;

/** For so long after a repair the pods that it restarts may still look as if they stayed. */
const settleMs = 15_000;

/** What was repaired lately. */
export class TemplateRepairs {
  /** By the workload's uid and what was added to it. */
  readonly #known = new Map<string, { readonly untilMs: number; isTold: boolean }>();
  /** When a workload of an object was repaired last, by the object's uid. */
  readonly #last = new Map<string, number>();

  /** Whether to take an addition out, to tell that it stays, or neither; and when to look again. */
  decide(addition: string, nowMs: number): { readonly verdict: "repair" | "tell" | "leave"; inMs: number } {
    for (const [each, { untilMs }] of this.#known) if (untilMs <= nowMs) this.#known.delete(each);
    const known = this.#known.get(addition);
    if (known === undefined) return { verdict: "repair", inMs: 0 };
    const verdict = known.isTold ? "leave" : "tell";
    known.isTold = true;
    return { verdict, inMs: known.untilMs - nowMs };
  }

  /** Whether the last repair of the object is too fresh for its pods to show it. */
  isFresh(object: string, nowMs: number): boolean {
    for (const [each, atMs] of this.#last) if (nowMs - atMs >= settleMs) this.#last.delete(each);
    return this.#last.has(object);
  }

  repaired(object: string, addition: string, nowMs: number): void {
    this.#last.set(object, nowMs);
    this.#known.set(addition, { untilMs: nowMs + restMs, isTold: false });
  }
}

export interface Repaired {
  /** What is worth telling. */
  readonly tampering: readonly Tampering[];
  readonly requeueAfterSeconds?: number;
}

export async function repairTemplates(
  { now, object }: Pick<Scope, "now" | "object">,
  { workloads, context }: Pick<Pass, "workloads" | "context">,
  wanted: readonly Workload[],
  { applier, repairs }: { readonly applier: Pick<Applier, "patch">; readonly repairs: TemplateRepairs },
): Promise<Repaired> {
  const nowMs = now.getTime();
  const found = wanted.flatMap((intent) => {
    const workload = workloads.find((each) => each.object.metadata.name === intent.metadata?.name);
    if (workload === undefined || isTerminating(workload.object)) return [];
    const additions = findAdditions({ spec: intent.spec }, { spec: specOf(workload.object) });
    if (additions === undefined) return [];
    const addition = `${workload.object.metadata.uid} ${additions.paths.join(" ")}`;
    return [{ live: workload.object, answers: answers(workload) > 0, addition, ...additions }];
  });
  const judged = found.map((each) => ({ ...each, ...repairs.decide(each.addition, nowMs) }));
  const due = judged.filter(({ verdict }) => verdict === "repair");
  const isWhole = workloads.every((each) => answers(each) >= each.desired);
  const ready = isWhole && !repairs.isFresh(object.metadata.uid, nowMs);
  // One that does not answer has nothing to lose.
  const first = due.find(({ answers }) => !answers) ?? (ready ? due[0] : undefined);
  if (first !== undefined) {
    repairs.repaired(object.metadata.uid, first.addition, nowMs);
    await applier.patch(childTypeOf(first.live), first.live, first.patch, context);
  }
  const told = judged.filter((each) => each === first || each.verdict === "tell");
  const waits = judged.filter((each) => each !== first);
  const inMs = waits.map(({ verdict, inMs }) => (verdict === "repair" ? settleMs : inMs));
  return {
    tampering: told.map((each) => ({
      workload: { kind: each.live.kind, name: each.live.metadata.name },
      paths: each.paths,
      isRepaired: each === first,
    })),
    ...(inMs.length > 0 && { requeueAfterSeconds: Math.ceil(Math.min(...inMs) / 1000) }),
  };
}

function answers({ replicas }: LiveWorkload): number {
  return replicas.filter(({ ready }) => ready).length;
}

function specOf(object: KubeObject): unknown {
  return (object as { readonly spec?: unknown }).spec;
}
