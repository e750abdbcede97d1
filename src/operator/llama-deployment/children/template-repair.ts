// Takes out of workloads what others added to their pods: `kubectl set env`, a sidecar. Server-side apply puts back what
// was changed and leaves additions. Each change of a template restarts pods, so that somebody who adds the same again
// and again, as another controller may, is let be for a time: a fight would restart pods for ever.
import { findAdditions } from "@llama-operator/kube-runtime/apply";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { isTerminating, type KubeObject } from "@llama-operator/kube-runtime/client";
import { childTypeOf } from "../../observed/kinds.ts";
import type { Workload } from "../../workloads/desired.ts";
import type { Pass } from "../pass.ts";
import type { Scope } from "../scope.ts";
import { allEnded } from "./apply.ts";

/** What somebody added to the pods of a workload. */
export interface Tampering {
  readonly workload: { readonly kind: string; readonly name: string };
  readonly paths: readonly string[];
  /** Whether it was taken out; else it is left for now. */
  readonly isRepaired: boolean;
}

/** For so long a workload that was repaired is not repaired again. */
const restMs = 3_600_000;

/** The workloads that were repaired lately, by uid. */
export class TemplateRepairs {
  readonly #known = new Map<string, { readonly untilMs: number; isTold: boolean }>();

  /** Whether to take an addition out, to tell that it stays, or neither. */
  decide(uid: string, nowMs: number): "repair" | "tell" | "leave" {
    for (const [each, { untilMs }] of this.#known) if (untilMs <= nowMs) this.#known.delete(each);
    const known = this.#known.get(uid);
    if (known === undefined) {
      this.#known.set(uid, { untilMs: nowMs + restMs, isTold: false });
      return "repair";
    }
    if (known.isTold) return "leave";
    known.isTold = true;
    return "tell";
  }
}

/** @returns what is worth telling */
export async function repairTemplates(
  { now }: Scope,
  { workloads, context }: Pass,
  wanted: readonly Workload[],
  { applier, repairs }: { readonly applier: Pick<Applier, "patch">; readonly repairs: TemplateRepairs },
): Promise<readonly Tampering[]> {
  const found = wanted.flatMap((intent) => {
    const live = workloads.find(({ object }) => object.metadata.name === intent.metadata?.name)?.object;
    if (live === undefined || isTerminating(live)) return [];
    const additions = findAdditions({ spec: intent.spec }, { spec: specOf(live) });
    if (additions === undefined) return [];
    const decision = repairs.decide(live.metadata.uid, now.getTime());
    return decision === "leave" ? [] : [{ live, ...additions, isRepaired: decision === "repair" }];
  });
  await allEnded(
    found.map(async ({ live, patch, isRepaired }) => {
      if (isRepaired) await applier.patch(childTypeOf(live), live, patch, context);
    }),
  );
  return found.map(({ live: { kind, metadata }, paths, isRepaired }) => ({
    workload: { kind, name: metadata.name },
    paths,
    isRepaired,
  }));
}

function specOf(object: KubeObject): unknown {
  return (object as { readonly spec?: unknown }).spec;
}
