// What a cloud brings to the configuration of a stack: the schemas of its cluster and its pools, its rules across
// fields, and how a pool's facts follow from them. `clouds.ts` is the table of those that there are.
import { z } from "zod";
import { gpuPoolSpec, int32, labels, objectName } from "@llama-operator/llama/api";
import type { capacity } from "../config/capacity.ts";
import { driverBranch } from "../config/pool.ts";
import type { accessMode } from "../config/volume.ts";
import type { Written } from "../config/pool.ts";
import type { ConfigurationProblem } from "../config/problem.ts";

/** What every cloud's pool has, whatever else it has. */
export interface CloudPool {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly protect?: boolean;
  readonly namespaceSelector?: z.output<typeof gpuPoolSpec>["namespaceSelector"];
  readonly driverBranch?: number;
  readonly nodes: { readonly min: number; readonly max: number };
  /** A cloud has its own fields beside the kind. */
  readonly capacity: { readonly kind: z.output<typeof capacity>["kind"] };
}

export interface CloudRules<
  Cluster extends { readonly kind: string } = { readonly kind: string },
  Pool extends CloudPool = CloudPool,
> {
  /** A strict object whose kind is a literal. */
  readonly cluster: z.ZodType<Cluster>;
  /** A strict object; `cloudPoolFields` are its first fields. */
  readonly pool: z.ZodType<Pool>;
  /**
   * Rules across fields, with paths such as `cluster.region` and `pools[0].zones`; each message says what to write
   * instead. Parts that could not be read are undefined. Names that are used twice are found elsewhere.
   */
  problems(
    cluster: Cluster | undefined,
    pools: readonly (Pool | undefined)[],
  ): readonly ConfigurationProblem[];
  /** Which volumes a cluster of this stack can give. */
  readonly storage: CloudStorage;
  /**
   * The facts of a pool's GpuPool (gpu, machineShape, nodeSelector, tolerations, fabric, allocatable), as a person
   * would write them. Most nodes, capacity and namespaces are added to them. Undefined where the catalog does not know
   * the machine, which the schema or `problems` say.
   */
  gpuPool(pool: Pool, cluster: Cluster): Written | undefined;
}

/** How a volume may be mounted. */
export type AccessMode = z.output<typeof accessMode>;

/** Which volumes a cluster gives to claims. Of a class that is not named here, a person's own, nothing is known. */
export interface CloudStorage {
  /** Whose classes they are, such as `EKS`. */
  readonly owner: string;
  /** The class of a claim that names none. */
  readonly defaultClass: string;
  /** How volumes of each class may be mounted; a class that is there no more, or gives nothing, has none. */
  readonly classes: Readonly<Record<string, readonly AccessMode[]>>;
  /** What to write for a volume that several nodes mount, as the end of a sentence. */
  readonly shared: string;
}

/** The first fields of every cloud's pool schema; a cloud may narrow them. */
export const cloudPoolFields = {
  name: objectName.describe("Name of the node pool and of its GpuPool."),
  labels: labels.default({}).describe("Labels of the GpuPool; placement.poolSelector matches them."),
  protect: z
    .boolean()
    .exactOptional()
    .describe("Refuse to destroy the pool; true where its capacity was bought, unless said otherwise."),
  namespaceSelector: gpuPoolSpec.shape.namespaceSelector,
  driverBranch,
  nodes: z
    .strictObject({
      min: int32(0, 10_000).describe("Nodes that are always there."),
      max: int32(1, 10_000).describe(
        "Nodes that there may be; more than `min` where an autoscaler adds some.",
      ),
    })
    .refine(({ min, max }) => min <= max, { error: "must be at least nodes.min", path: ["max"] }),
} as const;
