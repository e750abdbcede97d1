// A pool of GPU nodes as the policies see it, whichever cloud's resource it is. A pool is judged by what its resource
// says; what a cloud would choose by itself counts as not said.
import type { Properties } from "./properties.ts";

/** Capacity type of the pool, as far as the policies tell them apart. */
export type PoolCapacity = "onDemand" | "spot" | "bought" | "flexStart";

export interface GpuNodePool {
  /** Absent where the resource does not say, or the catalog lacks the machine. */
  readonly gpusPerNode: number | undefined;
  readonly nodesAtMost: number | undefined;
  /** Whether its machines have a network of their own between GPUs of different nodes. */
  readonly hasFabric: boolean;
  /** Whether a taint keeps pods away that do not ask for GPUs. */
  readonly tainted: boolean;
  readonly capacity: PoolCapacity;
  /** Whether all nodes are in one zone. */
  readonly oneZone: boolean;
  /** Whether its cloud replaces a node that has failed. */
  readonly repaired: boolean;
  /** Whether an upgrade makes new nodes beside the old, which bought capacity has no room for. */
  readonly surges: boolean;
  /** Whether its nodes have no public address; undefined where subnets decide that are not of the stack. */
  readonly privateNodes: boolean | undefined;
  /** The argument to write where a rule is broken, as the cloud's resource names it. */
  readonly argumentNames: ArgumentNames;
}

/** How a cloud's resource says what a rule asks for. */
export interface ArgumentNames {
  readonly taint: string;
  readonly oneZone: string;
  readonly repair: string;
  readonly noSurge: string;
  readonly privateNodes: string;
}

/** A resource that a pool depends on. */
export interface Related {
  readonly type: string;
  readonly properties: Properties;
}

/** How the pools of one cloud are recognised and read. */
export interface PoolReader {
  /** Whether a resource of this type is a pool of nodes, by its Pulumi type. */
  isPool(type: string): boolean;
  /**
   * The pool that a resource is; undefined where it is none of GPUs; `later` where what it depends on is needed to tell,
   * and not known yet. `related` is known only once the whole stack is.
   */
  read(properties: Properties, related: readonly Related[] | undefined): GpuNodePool | "later" | undefined;
}
