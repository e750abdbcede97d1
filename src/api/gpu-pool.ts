// The kind GpuPool: what is known about a pool of GPU nodes before there is a node to look at.
// Policy, written once by whoever makes the pool; live use never lives in its spec.
import { z } from "zod";
import { conditions, labels, quantity, withRules } from "./schema.ts";

const gpu = z.strictObject({
  product: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .describe("GPU in the catalog, such as `nvidia-h100-80gb`."),
  perNode: z.int().min(1).max(16).meta({ format: "int32" }).describe("GPUs of one node."),
  resourceName: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
    .default("nvidia.com/gpu")
    .describe("Extended resource that pods request."),
});

const allocatable = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  ephemeralStorage: quantity.optional(),
});

const toleration = withRules(
  z.strictObject({
    key: z.string().max(317).optional(),
    operator: z.enum(["Equal", "Exists"]).default("Equal"),
    value: z.string().max(63).optional(),
    effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
  }),
  [
    {
      cel: "self.operator != 'Exists' || !has(self.value)",
      holds: (self) => self.operator !== "Exists" || self.value === undefined,
      message: "a toleration with operator Exists takes no value",
      fieldPath: ".value",
    },
  ],
);

const fabric = z.strictObject({
  type: z
    .enum(["none", "efa", "tcpx", "tcpxo", "infiniband", "roce"])
    .default("none")
    .describe("Network between the nodes' GPUs."),
  resources: z
    .record(
      z
        .string()
        .max(317)
        .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/),
      quantity,
    )
    .meta({ maxProperties: 8 })
    .default({})
    .describe(
      'Extended resources of a pod that uses the fabric with all GPUs of a node, such as `vpc.amazonaws.com/efa: "32"`.',
    ),
});

export const gpuPoolSpec = z.strictObject({
  gpu,
  machineShape: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
    .optional()
    .describe("Machine in the catalog, such as `a3-highgpu-8g`: its CPU, memory and NVLink domain."),
  allocatable: allocatable
    .optional()
    .describe("What pods can request of a node, where it differs from the machine shape's."),
  nodeSelector: labels.default({}).describe("Labels of the pool's nodes."),
  tolerations: z
    .array(toleration)
    .max(16)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .default([])
    .describe("Tolerations for the taints of the pool's nodes."),
  namespaceSelector: z
    .strictObject({ matchLabels: labels })
    .optional()
    .describe("Namespaces that may use the pool; all when absent."),
  nodes: z
    .strictObject({
      max: z
        .int()
        .min(0)
        .max(10_000)
        .meta({ format: "int32" })
        .describe("Nodes that an autoscaler may grow the pool to."),
    })
    .optional(),
  fabric: fabric.default({ type: "none", resources: {} }),
  capacity: z
    .enum(["onDemand", "spot", "reserved", "flexStart", "queued", "capacityBlock"])
    .default("onDemand")
    .describe("How the cloud gives the nodes; said where a plan waits for one."),
});

const count = z.int().min(0).meta({ format: "int32" });

export const gpuPoolStatus = z.strictObject({
  observedGeneration: z.int().meta({ format: "int64" }).default(-1),
  conditions: conditions.optional(),
  nodes: count.optional().describe("Ready nodes that the selector matches."),
  gpus: z
    .strictObject({ total: count, used: count, freeWholeNodes: count })
    .optional()
    .describe("For people; planning counts from live pods and nodes."),
});

export type GpuPoolSpec = z.output<typeof gpuPoolSpec>;
export type GpuPoolStatus = z.output<typeof gpuPoolStatus>;
export type Toleration = z.output<typeof toleration>;
export type FabricType = GpuPoolSpec["fabric"]["type"];
