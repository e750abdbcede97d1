// A pool of GPU nodes as the policies see it, whichever cloud's resource it is. A pool is judged by what its resource
// says; what a cloud would choose by itself counts as not said.
import { aksAgentPool } from "./aks.ts";
import { eksNodeGroup } from "./eks.ts";
import { gkeNodePool } from "./gke.ts";
import type { Properties } from "../properties.ts";

/** How a pool's nodes are had, as far as the policies care. */
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
  /** The argument to write where a rule is broken, in the words of the cloud's resource. */
  readonly words: PoolWords;
}

/** How a cloud's resource says what a rule asks for. */
export interface PoolWords {
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

/** A resource as both kinds of Pulumi's policies have it. */
export interface JudgedResource extends Related {
  /** What it depends on: known only once the whole stack is. */
  readonly related?: readonly Related[];
}

/**
 * The pool that a resource is; undefined where it is none, or none of GPUs; `later` where what it depends on is needed to
 * tell, and not known yet.
 */
export function gpuNodePool({
  type,
  properties,
  related,
}: JudgedResource): GpuNodePool | "later" | undefined {
  switch (type) {
    case "gcp:container/nodePool:NodePool":
      return gkeNodePool(properties, related);
    case "aws:eks/nodeGroup:NodeGroup":
      return eksNodeGroup(properties, related);
    default:
      // azure-native has the API's version in some of its types.
      return /^azure-native:containerservice(?:\/v\w+)?:AgentPool$/.test(type)
        ? aksAgentPool(properties)
        : undefined;
  }
}
