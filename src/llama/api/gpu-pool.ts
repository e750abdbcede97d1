// The kind GpuPool: what is known about a pool of GPU nodes before there is a node to look at.
// Policy, written once by what makes the pool; live use never lives in its spec.
import { z } from "zod";
import {
  boundedMap,
  conditions,
  count,
  extendedResourcePattern,
  int32,
  labelKeyText,
  labels,
  labelValue,
  observedGeneration,
  quantity,
  withRules,
} from "./schema.ts";

const gpu = z.strictObject({
  product: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .describe("GPU in the catalog, such as `nvidia-h100-80gb`."),
  perNode: int32(1, 16).describe("GPUs of one node."),
  resourceName: z
    .string()
    .max(253)
    .regex(extendedResourcePattern)
    .default("nvidia.com/gpu")
    .describe("Extended resource that pods request."),
});

const allocatable = z.strictObject({
  cpu: quantity.exactOptional().describe('CPU of a node, such as `"206"`.'),
  memory: quantity.exactOptional().describe('Memory of a node, such as `"1800Gi"`.'),
  ephemeralStorage: quantity.exactOptional().describe('Local disk of a node, such as `"5500Gi"`.'),
});

const toleration = withRules(
  z.strictObject({
    key: labelKeyText.exactOptional().describe("Key of the taint; any when absent, with operator Exists."),
    operator: z
      .enum(["Equal", "Exists"])
      .default("Equal")
      .describe("Whether the taint's value must be equal, or any will do."),
    value: labelValue.exactOptional().describe("Value of the taint; empty when absent."),
    effect: z
      .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
      .exactOptional()
      .describe("Effect of the taint; any when absent."),
  }),
  [
    {
      cel: "self.operator != 'Exists' || !has(self.value)",
      holds: (self) => self.operator !== "Exists" || self.value === undefined,
      message: "a toleration with operator Exists takes no value",
      fieldPath: ".value",
    },
    {
      cel: "self.operator == 'Exists' || has(self.key)",
      holds: (self) => self.operator === "Exists" || self.key !== undefined,
      message: "a toleration without a key needs operator Exists",
      fieldPath: ".key",
    },
  ],
);

const fabric = withRules(
  z.strictObject({
    type: z
      .enum(["none", "efa", "tcpx", "tcpxo", "infiniband", "roce"])
      .default("none")
      .describe("Network between the nodes' GPUs."),
    resources: boundedMap(
      quantity,
      {
        pattern: extendedResourcePattern,
        message: "keys are extended resources: a DNS prefix, a slash, and a name",
      },
      8,
    )
      .default({})
      .describe(
        'Extended resources of a pod that uses the fabric with all GPUs of a node, such as `vpc.amazonaws.com/efa: "32"`.',
      ),
  }),
  [
    {
      cel: "self.type != 'none' || self.resources.size() == 0",
      holds: (self) => self.type !== "none" || Object.keys(self.resources).length === 0,
      message: "resources need a fabric type: with type none no pod would ask for them",
      fieldPath: ".resources",
    },
  ],
);

export const gpuPoolSpec = z.strictObject({
  gpu: gpu.describe("The GPUs of a node; all nodes of a pool are alike."),
  machineShape: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
    .exactOptional()
    .describe("Machine in the catalog, such as `a3-highgpu-8g`: its CPU, memory and NVLink domain."),
  allocatable: allocatable
    .exactOptional()
    .describe("What pods can request of a node, where it differs from the machine shape's."),
  nodeSelector: labels.default({}).describe("Labels of the pool's nodes; all nodes when empty."),
  tolerations: z
    .array(toleration)
    .max(16)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .default([])
    .describe("Tolerations for the taints of the pool's nodes."),
  namespaceSelector: z
    .strictObject({ matchLabels: labels.describe("Labels that the namespace must have.") })
    .exactOptional()
    .describe("Namespaces that may use the pool; all when absent."),
  nodes: z
    .strictObject({
      max: int32(0, 10_000).describe("Nodes that an autoscaler may grow the pool to."),
    })
    .exactOptional()
    .describe("Where an autoscaler adds nodes: how far it may go. The nodes that are there, when absent."),
  fabric: fabric
    .default({ type: "none", resources: {} })
    .describe("The network that groups of nodes use between their GPUs."),
  capacity: z
    .enum(["onDemand", "spot", "reserved", "flexStart", "queued", "capacityBlock"])
    .default("onDemand")
    .describe("How the cloud gives the nodes; said where a plan waits for one."),
});

export const gpuPoolStatus = z.strictObject({
  observedGeneration,
  conditions: conditions.exactOptional(),
  nodes: count.exactOptional().describe("Ready nodes that the selector matches."),
  gpus: z
    .strictObject({
      total: count.describe("GPUs of the ready nodes."),
      used: count.describe("GPUs that pods have requested."),
      freeWholeNodes: count.describe("Nodes with every GPU free: what a group of nodes needs."),
    })
    .exactOptional()
    .describe("GPUs of the pool. For people: planning counts from live pods and nodes."),
});

export type GpuPoolSpec = z.output<typeof gpuPoolSpec>;
export type GpuPoolStatus = z.output<typeof gpuPoolStatus>;
export type Toleration = z.output<typeof toleration>;
export type FabricType = GpuPoolSpec["fabric"]["type"];
