// The manifests that tests begin with: nodes and a pool as `pulumi up` leaves them, and LlamaDeployments as people write
// them.
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { NodeObject, PodObject, PriorityClassObject } from "./cluster/objects.ts";

export interface NodeOptions {
  /** In the catalog; default `a3-highgpu-8g`, eight H100 80GB. */
  readonly shape?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Where the node offers pods something else than its shape. */
  readonly allocatable?: Readonly<Record<string, string>>;
}

/** A node that is Ready, with its shape's labels, taints and resources. */
export function gpuNode(name: string, options: NodeOptions = {}): NodeObject {
  const { shape: shapeName = "a3-highgpu-8g", labels = {}, allocatable = {} } = options;
  const shape = findMachineShape(shapeName);
  if (shape === undefined) throw new Error(`the catalog has no machine shape ${shapeName}`);
  const { cpuMillicores, memoryBytes, ephemeralStorageBytes } = shape.allocatable;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...shape.nodeLabels, ...labels } },
    spec: { taints: shape.nodeTaints.map((taint) => ({ ...taint })) },
    status: {
      allocatable: {
        cpu: `${cpuMillicores}m`,
        memory: String(memoryBytes),
        "ephemeral-storage": String(ephemeralStorageBytes),
        pods: "110",
        "nvidia.com/gpu": String(shape.gpusPerNode),
        ...shape.fabric.resources,
        ...allocatable,
      },
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  };
}

/** A GpuPool of all nodes of a shape. */
export function gpuPool(name = "h100", spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  const manifest = {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "GpuPool",
    metadata: { name },
    spec: {
      gpu: { product: "nvidia-h100-80gb", perNode: 8 },
      machineShape: "a3-highgpu-8g",
      tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
      ...spec,
    },
  };
  return manifest;
}

export function llamaDeployment(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  namespace?: string,
): KubeObject {
  const manifest = {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "LlamaDeployment",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec,
  };
  return manifest;
}

export function priorityClass(name: string, value: number): PriorityClassObject {
  return { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value };
}

/** A pod of somebody else that holds GPUs of a node. */
export function foreignPod(name: string, nodeName: string, gpus: number): PodObject {
  const limits = { "nvidia.com/gpu": String(gpus) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { nodeName, containers: [{ name: "train", image: "train", resources: { limits } }] },
  };
}
