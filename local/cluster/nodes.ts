// Simulated nodes that look like a cloud's GPU machines: the scheduler, the operator and kubectl see what they
// would see of a real node of that shape; KWOK plays its kubelet.

import type { INode } from "kubernetes-models/v1/Node";

import { gpuResourceName } from "../../src/catalog/gpus.ts";
import type { Cloud, MachineShape } from "../../src/catalog/machine-shapes.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { isAlreadyExists } from "../../src/kube/errors.ts";
import type { KubeObject, Live, ObjectMeta } from "../../src/kube/object.ts";
import { resourceType } from "../../src/kube/resource.ts";
import { nodeAddress } from "./configuration/layout.ts";
import { untilSucceeds } from "./readiness.ts";

/** A Node as it is created, with its status, as a kubelet registers itself. */
export type SimulatedNode = KubeObject & {
  readonly metadata: ObjectMeta & { readonly name: string };
  readonly spec: NonNullable<INode["spec"]>;
  readonly status?: NonNullable<INode["status"]>;
};

export const nodeType = resourceType<SimulatedNode>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
});

export interface NodePlace {
  /** The cluster's block of addresses: "127.3". */
  readonly addressBlock: string;
  /** Default: a zone of the shape's cloud. */
  readonly zone?: string;
  /** Added to the shape's labels: those of a node pool. */
  readonly labels?: Readonly<Record<string, string>>;
}

const zones: Readonly<Record<Cloud, { readonly region: string; readonly zone: string }>> = {
  gke: { region: "us-central1", zone: "us-central1-a" },
  eks: { region: "us-east-1", zone: "us-east-1a" },
  aks: { region: "eastus", zone: "eastus-1" },
  oci: { region: "us-ashburn-1", zone: "us-ashburn-1-ad-1" },
};

/** What kubelets announce by default. */
const podsPerNode = "110";

/** Says which of the cluster's nodes this is, and so which address it has. */
const indexAnnotation = "sim.llama-operator.dev/node-index";

/** The node of a shape with an index that no other node of the cluster has. Pure. */
export function simulatedNode(shape: MachineShape, index: number, place: NodePlace): SimulatedNode {
  const name = `${shape.name.toLowerCase().replaceAll("_", "-")}-${index}`;
  const { region, zone } = zones[shape.cloud];
  const { cpuMillicores, memoryBytes, ephemeralStorageBytes } = shape.allocatable;
  const devices = {
    pods: podsPerNode,
    [gpuResourceName(shape.gpu)]: String(shape.gpusPerNode),
    ...shape.fabric.resources,
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: { "kwok.x-k8s.io/node": "fake", [indexAnnotation]: String(index) },
      labels: {
        ...shape.nodeLabels,
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": place.zone ?? zone,
        ...place.labels,
      },
    },
    spec: { taints: shape.nodeTaints.map((taint) => ({ ...taint })) },
    status: {
      capacity: {
        cpu: String(shape.cpuCores),
        memory: kibibytes(shape.memoryBytes),
        "ephemeral-storage": kibibytes(Math.max(shape.localStorageBytes, ephemeralStorageBytes)),
        ...devices,
      },
      allocatable: {
        cpu: `${cpuMillicores}m`,
        memory: kibibytes(memoryBytes),
        "ephemeral-storage": kibibytes(ephemeralStorageBytes),
        ...devices,
      },
      addresses: [
        { type: "InternalIP", address: nodeAddress(place.addressBlock, index) },
        { type: "Hostname", address: name },
      ],
      nodeInfo: {
        architecture: "amd64",
        bootID: "",
        containerRuntimeVersion: "simulated://1",
        kernelVersion: "simulated",
        kubeletVersion: "v1.35.4",
        kubeProxyVersion: "",
        machineID: "",
        operatingSystem: "linux",
        osImage: `Simulated ${shape.name}`,
        systemUUID: "",
      },
    },
  };
}

/** As kubelets write memory. */
function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

/** How many nodes are created at a time. */
const concurrency = 16;

/**
 * Adds nodes of one shape and waits until the scheduler may use them.
 * @returns their names
 */
export async function addNodes(
  client: KubeClient,
  shape: MachineShape,
  count: number,
  place: NodePlace,
  signal: AbortSignal = AbortSignal.timeout(120_000),
): Promise<readonly string[]> {
  const existing = await client.list(nodeType, { signal });
  let next = 1 + Math.max(-1, ...existing.items.map(indexOf));
  const names = new Set<string>();
  await Promise.all(
    Array.from({ length: Math.min(concurrency, count) }, async (_, worker) => {
      for (let made = worker; made < count; made += concurrency) {
        names.add(await createNode(client, () => simulatedNode(shape, next++, place), signal));
      }
    }),
  );
  await untilSucceeds(async () => {
    const { items } = await client.list(nodeType, { signal });
    const usable = items.filter((node) => names.has(node.metadata.name) && isSchedulable(node));
    if (usable.length < count) {
      throw new Error(`${usable.length} of ${count} nodes are ready`);
    }
  }, signal);
  return [...names];
}

/** Whoever adds nodes at the same time takes some of the indexes: the next one then. */
async function createNode(
  client: KubeClient,
  next: () => SimulatedNode,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      return (await client.create(nodeType, next(), { signal })).metadata.name;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

function indexOf(node: Live<SimulatedNode>): number {
  const index = Number.parseInt(node.metadata.annotations?.[indexAnnotation] ?? "", 10);
  return Number.isNaN(index) ? -1 : index;
}

/** Ready, and without the taint that every node has until the controller manager has seen it ready. */
function isSchedulable(node: Live<SimulatedNode>): boolean {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  const held = node.spec.taints?.some((taint) => taint.key === "node.kubernetes.io/not-ready");
  return ready?.status === "True" && held !== true;
}
