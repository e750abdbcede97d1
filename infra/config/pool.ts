// A pool of GPU nodes: the facts of a GpuPool, by its own schemas, and what only the infrastructure needs to know.
import { z } from "zod";
import { gpuPoolSpec, int32, labels, objectName } from "@llama-operator/llama/api";
import { findGpu, gpus, findMachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { capacity } from "./capacity.ts";
import { nearest } from "./nearest.ts";

const { gpu, machineShape, allocatable, nodeSelector, tolerations, namespaceSelector, fabric } =
  gpuPoolSpec.shape;

/** As the kind has it, but known to the catalog: a pool of a stack is planned for before there is a node. */
const knownProduct = gpu.shape.product.refine((product) => findGpu(product) !== undefined, {
  error: ({ input }) => `the catalog has no GPU ${String(input)}; nearest are ${nearest(input, gpus)}`,
});

const knownShape = machineShape.unwrap().refine((shape) => findMachineShape(shape) !== undefined, {
  error: ({ input }) =>
    `the catalog has no machine ${String(input)}; nearest are ${nearest(input, machineShapes)}. For another machine leave machineShape out and write allocatable`,
});

/** The facts that a GpuPool takes word for word. */
const facts = {
  gpu: gpu.extend({ product: knownProduct }),
  machineShape: knownShape.exactOptional(),
  allocatable,
  nodeSelector,
  tolerations,
  namespaceSelector,
  fabric,
} as const;

/** Fields of a pool that go into its GpuPool as they are written. */
export const gpuPoolFacts: readonly string[] = Object.keys(facts);

const nodes = z
  .strictObject({
    min: int32(0, 10_000).describe("Nodes that are always there."),
    max: int32(1, 10_000).describe("Nodes that there may be; more than `min` where an autoscaler adds some."),
  })
  .refine(({ min, max }) => min <= max, { error: "must be at least nodes.min", path: ["max"] });

export const driverBranch = int32(400, 9999)
  .exactOptional()
  .describe(
    "Branch of NVIDIA's driver on its nodes, such as 580, where it is known: it must run the CUDA of the engine's image.",
  );

export const pool = z.strictObject({
  name: objectName.describe("Name of the GpuPool."),
  labels: labels.default({}).describe("Labels of the GpuPool; placement.poolSelector matches them."),
  protect: z
    .boolean()
    .exactOptional()
    .describe("Refuse to destroy the pool; true where its capacity was bought, unless said otherwise."),
  ...facts,
  driverBranch,
  nodes,
  capacity: capacity.default({ kind: "onDemand" }),
});

/** What a person wrote, before defaults: an operator of a later version may have others. */
export type Written = Readonly<Record<string, unknown>>;

/** A pool with its defaults, and as it was written. */
export interface PoolConfiguration extends Omit<z.output<typeof pool>, "capacity"> {
  /** Of the other fields only who makes the nodes knows. */
  readonly capacity: { readonly kind: z.output<typeof capacity>["kind"] };
  readonly written: Written;
}
