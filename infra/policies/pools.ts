// The pools of GPU nodes among a stack's resources, whichever cloud's they are: a line for each cloud.
import { aksPools } from "../clouds/aks/policy.ts";
import { eksPools } from "../clouds/eks/policy.ts";
import { gkePools } from "../clouds/gke/policy.ts";
import type { GpuNodePool, PoolReader, Related } from "./gpu-node-pool.ts";

const readers: readonly PoolReader[] = [gkePools, eksPools, aksPools];

/** A resource as both kinds of Pulumi's policies have it. */
export interface PolicyResource extends Related {
  /** What it depends on: known only once the whole stack is. */
  readonly related?: readonly Related[];
}

/** The pool that a resource is, as {@link PoolReader} says. */
export function gpuNodePool({
  type,
  properties,
  related,
}: PolicyResource): GpuNodePool | "later" | undefined {
  return readers.find((each) => each.isPool(type))?.read(properties, related);
}
