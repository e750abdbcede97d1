// Where the pods of a stored revision are placed: an annotation on its ControllerRevision lists the placements that are in
// use, the one that further pods go to last. Without it they are where the revision was planned for.
import { z } from "zod";
import { canonicalJson } from "@llama-operator/llama/api";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import { placementOf, sameOnPods, type Placement } from "../../workloads/placement.ts";
import type { RevisionData } from "../../workloads/revision.ts";

const annotation = "llama-operator.dev/placements";

const stored = z
  .array(
    z.looseObject({
      pool: z.string(),
      nodeSelector: z.record(z.string(), z.string()),
      tolerations: z.array(z.looseObject({})),
      pod: z.looseObject({ gpus: z.int().min(1), gpuResourceName: z.string() }),
      since: z.iso.datetime().optional(),
    }),
  )
  .min(1);

/** The placements in use, the one of further pods last. */
export function placementsOf(
  { metadata }: KubeObject,
  { plan }: Pick<RevisionData, "plan">,
): readonly Placement[] {
  const text = metadata?.annotations?.[annotation];
  const home = [placementOf(plan)];
  if (text === undefined) return home;
  try {
    const value: unknown = JSON.parse(text);
    // What is checked is there; the rest has the shape that this file gave it.
    return stored.safeParse(value).success ? (value as readonly Placement[]) : home;
  } catch {
    return home;
  }
}

/**
 * The annotation that says where further pods go, beside where there are some.
 *
 * @param isUsed whether a workload is placed so
 */
export function placementsAnnotation(
  before: readonly Placement[],
  next: Placement,
  isUsed: (placement: Placement) => boolean,
): Readonly<Record<string, string>> {
  const others = before.filter((each) => !sameOnPods(each, next) && isUsed(each));
  return { [annotation]: JSON.stringify([...others, next]) };
}

/** Whether both place pods alike, in the same pool; since whenever it is. */
export function samePlacement(one: Placement, other: Placement): boolean {
  return canonicalJson({ ...one, since: undefined }) === canonicalJson({ ...other, since: undefined });
}
