// Simulated nodes that look like a cloud's GPU machines: the scheduler, the operator and kubectl see what they
// would see of a real node of that shape; KWOK plays its kubelet.

import type { INode } from "kubernetes-models/v1/Node";

import {
  gpuResourceName,
  type Cloud,
  type MachineShape,
  type NodeTaint,
} from "@llama-operator/llama/catalog";
import {
  type KubeClient,
  isAlreadyExists,
  type KubeObject,
  type Live,
  type ObjectMeta,
  resourceType,
} from "@llama-operator/kube-runtime/client";
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

/** What a node is made of, from either source: a shape of the catalog, or the pool of a cloud. */
export interface NodeFacts {
  readonly name: string;
  /** Of the cluster's nodes: gives the address. */
  readonly index: number;
  /** The cluster's block of addresses: "127.3". */
  readonly addressBlock: string;
  readonly region: string;
  readonly zone: string;
  /** Beside hostname, region and zone. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly machine: NodeMachine;
  /** Extended resources and how many of each. */
  readonly devices: Readonly<Record<string, string>>;
}

/** The parts of a machine shape that machines without GPUs have too. */
export type NodeMachine = Pick<
  MachineShape,
  "name" | "cpuCores" | "memoryBytes" | "localStorageBytes" | "allocatable"
>;

/** The node of a shape with an index that no other node of the cluster has. Pure. */
export function simulatedNode(shape: MachineShape, index: number, place: NodePlace): SimulatedNode {
  const { region, zone } = zones[shape.cloud];
  return nodeObject({
    name: `${shape.name.toLowerCase().replaceAll("_", "-")}-${index}`,
    index,
    addressBlock: place.addressBlock,
    region,
    zone: place.zone ?? zone,
    labels: { ...shape.nodeLabels, ...place.labels },
    taints: shape.nodeTaints,
    machine: shape,
    devices: { [gpuResourceName(shape.gpu)]: String(shape.gpusPerNode), ...shape.fabric.resources },
  });
}

/** What runs beside the models of a cluster; the size is that of GKE's e2-standard-4. */
const systemMachine: NodeMachine = {
  name: "system",
  cpuCores: 4,
  memoryBytes: 16 * 2 ** 30,
  localStorageBytes: 0,
  allocatable: {
    cpuMillicores: 3920,
    memoryBytes: 13 * 2 ** 30,
    ephemeralStorageBytes: 44 * 2 ** 30,
  },
};

/** A node without GPUs and taints: pods that want none, such as the operator's, run there. Pure. */
function systemNode(cloud: Cloud, index: number, { addressBlock, zone }: NodePlace): SimulatedNode {
  return nodeObject({
    name: `system-${index}`,
    index,
    addressBlock,
    region: zones[cloud].region,
    zone: zone ?? zones[cloud].zone,
    labels: {},
    taints: [],
    machine: systemMachine,
    devices: {},
  });
}

/** The node that KWOK plays the kubelet of. Pure. */
export function nodeObject(facts: NodeFacts): SimulatedNode {
  const { name, index, machine } = facts;
  const { cpuMillicores, memoryBytes, ephemeralStorageBytes } = machine.allocatable;
  const devices = { pods: podsPerNode, ...facts.devices };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: {
        "kwok.x-k8s.io/node": "fake",
        [indexAnnotation]: String(index),
        ...facts.annotations,
      },
      labels: {
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/region": facts.region,
        "topology.kubernetes.io/zone": facts.zone,
        ...facts.labels,
      },
    },
    spec: { taints: facts.taints.map((taint) => ({ ...taint })) },
    status: {
      capacity: {
        cpu: String(machine.cpuCores),
        memory: kibibytes(machine.memoryBytes),
        "ephemeral-storage": kibibytes(Math.max(machine.localStorageBytes, ephemeralStorageBytes)),
        ...devices,
      },
      allocatable: {
        cpu: `${cpuMillicores}m`,
        memory: kibibytes(memoryBytes),
        "ephemeral-storage": kibibytes(ephemeralStorageBytes),
        ...devices,
      },
      addresses: [
        { type: "InternalIP", address: nodeAddress(facts.addressBlock, index) },
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
        osImage: `Simulated ${machine.name}`,
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
  return makeNodes(client, count, (index) => simulatedNode(shape, index, place), signal);
}

/** Adds a node without GPUs, of the cloud that the cluster looks like. */
export async function addSystemNode(
  client: KubeClient,
  cloud: Cloud,
  place: NodePlace,
  signal: AbortSignal = AbortSignal.timeout(120_000),
): Promise<void> {
  await makeNodes(client, 1, (index) => systemNode(cloud, index, place), signal);
}

async function makeNodes(
  client: KubeClient,
  count: number,
  nodeOf: (index: number) => SimulatedNode,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let next = await nextNodeIndex(client, signal);
  const names = new Set<string>();
  await Promise.all(
    Array.from({ length: Math.min(concurrency, count) }, async (_, worker) => {
      for (let made = worker; made < count; made += concurrency) {
        names.add(await createNode(client, () => nodeOf(next++), signal));
      }
    }),
  );
  await untilSchedulable(client, names, signal);
  return [...names];
}

/** An index above those of all nodes that are there. */
export async function nextNodeIndex(client: KubeClient, signal: AbortSignal): Promise<number> {
  const { items } = await client.list(nodeType, { signal });
  return 1 + Math.max(-1, ...items.map(indexOf));
}

/** Returns when the scheduler may use all of the nodes. */
export async function untilSchedulable(
  client: KubeClient,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  await untilSucceeds(async () => {
    const { items } = await client.list(nodeType, { signal });
    const usable = items.filter((node) => names.has(node.metadata.name) && isSchedulable(node));
    if (usable.length < names.size) {
      throw new Error(`${usable.length} of ${names.size} nodes are ready`);
    }
  }, signal);
}

/** Another process that adds nodes at the same time takes some of the indexes: the next one then. */
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
