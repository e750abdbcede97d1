// The nodes of the clouds' pools on the local cluster: made with a pool, changed with it, gone with it.
//
// It differs from a cloud in that
// - nodes are there in a moment, and a change of labels, taints or machine touches all nodes of a pool at once;
// - a node that goes takes its pods with it at once: nothing is drained, no disruption budget is asked.

import { createHash } from "node:crypto";

import { clusterClient } from "../../../local/cluster/client.ts";
import {
  nextNodeIndex,
  nodeObject,
  nodeType,
  type SimulatedNode,
  untilSchedulable,
} from "../../../local/cluster/nodes.ts";
import { type NodeTaint, linuxLabels } from "@llama-operator/llama/catalog";
import {
  type KubeClient,
  isAlreadyExists,
  isConflict,
  type KubeObject,
  type Live,
  resourceType,
} from "@llama-operator/kube-runtime/client";
import type { LocalApiServer } from "./api-server.ts";
import type { CloudRecord } from "./cloud.ts";
import type { NodeGroup } from "./node-group.ts";

/** On every node of a cloud's pool: a hash of the pool's type and id. */
export const poolLabel = "sim.llama-operator.dev/cloud-pool";
/** What device plugins may announce on the node: a JSON list of Device. */
export const devicesAnnotation = "sim.llama-operator.dev/devices";
const positionAnnotation = "sim.llama-operator.dev/pool-position";
/** The facts that a node was made with: another hash is another node. */
const machineAnnotation = "sim.llama-operator.dev/machine";
/** Labels and taints of the group, so that a later change can tell them from others'. */
const askedAnnotation = "sim.llama-operator.dev/asked";

const readySeconds = 60;

export const podType = resourceType<PodObject>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
});

interface Container {
  readonly image?: string;
}

export interface PodObject extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export class CloudNodes {
  readonly #server: LocalApiServer;

  constructor(server: LocalApiServer) {
    this.#server = server;
  }

  /** Makes the pool's nodes what the group says, or none without one. Returns when the new ones are ready. */
  async apply(record: CloudRecord, group: NodeGroup | undefined, signal: AbortSignal): Promise<void> {
    await using connection = await clusterClient(this.#server.kubeconfigPath);
    const { client } = connection;
    const pool = createHash("sha256").update(`${record.type} ${record.id}`).digest("hex").slice(0, 16);
    const { items } = await client.list(nodeType, { labelSelector: `${poolLabel}=${pool}`, signal });
    const kept = items.filter((node) => group !== undefined && isOf(node, group));
    const leaving = items.filter((node) => !kept.includes(node));
    await Promise.all(leaving.map(async (node) => removeNode(client, node, signal)));
    if (group === undefined) return;
    const positions = new Set(kept.map(positionOf));
    const missing = Array.from({ length: group.count }, (_, position) => position).filter(
      (position) => !positions.has(position),
    );
    await Promise.all(kept.map(async (node) => changeNode(client, node, group, signal)));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(readySeconds * 1000)]);
    let index = await nextNodeIndex(client, signal);
    const made = await Promise.all(
      missing.map(async (position) => {
        const node = nodeOf(group, pool, position, index++, addressBlockOf(this.#server));
        return createNode(client, node, signal);
      }),
    );
    await untilSchedulable(client, new Set(made), limit);
  }
}

/** The control plane's address is in the same block as the nodes': see local/cluster/configuration/layout.ts. */
function addressBlockOf({ host }: LocalApiServer): string {
  return host.split(".").slice(0, 2).join(".");
}

/** Pools that are made at the same moment may give two nodes one index, and so one address, at which nothing listens. */
function nodeOf(
  group: NodeGroup,
  pool: string,
  position: number,
  index: number,
  addressBlock: string,
): SimulatedNode {
  return nodeObject({
    name: group.nodeName(position),
    index,
    addressBlock,
    region: group.region,
    zone: zoneOf(group, position),
    labels: { ...linuxLabels, ...group.labels, [poolLabel]: pool, ...hardwareLabels(group) },
    annotations: {
      [positionAnnotation]: String(position),
      [machineAnnotation]: machineHash(group),
      [askedAnnotation]: askedText(group),
      [devicesAnnotation]: JSON.stringify(group.devices),
    },
    taints: group.taints,
    machine: group.machine,
    // What needs nothing else is there from the start; the rest comes with its plugin: see devices.ts.
    devices: Object.fromEntries(
      group.devices
        .filter(({ needs }) => needs.length === 0)
        .map(({ resource, count }) => [resource, String(count)]),
    ),
  });
}

/** Stands for what node feature discovery finds on the PCI bus; charts/gpu-operator selects by it. */
function hardwareLabels({ devices }: NodeGroup): Readonly<Record<string, string>> {
  const hasNvidia = devices.some(({ resource }) => resource === "nvidia.com/gpu");
  return hasNvidia ? { "sim.llama-operator.dev/gpus": "nvidia" } : {};
}

function zoneOf(group: NodeGroup, position: number): string {
  const zone = group.zones[position % group.zones.length];
  if (zone === undefined) throw new Error("a pool has no zone");
  return zone;
}

function machineHash({ machine, devices }: NodeGroup): string {
  return createHash("sha256")
    .update(JSON.stringify([machine, devices]))
    .digest("hex")
    .slice(0, 16);
}

const positionOf = ({ metadata }: Live<SimulatedNode>): number =>
  Number(metadata.annotations?.[positionAnnotation]);

/** Whether the node is one that the group still wants; labels and taints can be changed. */
function isOf(node: Live<SimulatedNode>, group: NodeGroup): boolean {
  const position = positionOf(node);
  return (
    position < group.count &&
    node.metadata.annotations?.[machineAnnotation] === machineHash(group) &&
    node.metadata.labels?.["topology.kubernetes.io/zone"] === zoneOf(group, position)
  );
}

async function createNode(client: KubeClient, node: SimulatedNode, signal: AbortSignal): Promise<string> {
  try {
    await client.create(nodeType, node, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return node.metadata.name;
}

/** Gives the node the group's labels and taints; others, such as those of controllers, stay. */
async function changeNode(
  client: KubeClient,
  node: Live<SimulatedNode>,
  group: NodeGroup,
  signal: AbortSignal,
): Promise<void> {
  const { name } = node.metadata;
  for (let live = node; ; live = await client.get(nodeType, { name }, { signal })) {
    if (live.metadata.annotations?.[askedAnnotation] === askedText(group)) return;
    try {
      const { resourceVersion } = live.metadata;
      await client.mergePatch(nodeType, { name }, changeOf(live, group), { resourceVersion, signal });
    } catch (error) {
      // Its status has changed meanwhile.
      if (!isConflict(error)) throw error;
    }
  }
}

function changeOf(node: Live<SimulatedNode>, group: NodeGroup): Readonly<Record<string, unknown>> {
  const asked = JSON.parse(node.metadata.annotations?.[askedAnnotation] ?? "{}") as Asked;
  const gone = Object.keys(asked.labels ?? {}).filter((name) => group.labels[name] === undefined);
  const isAsked = (taint: NodeTaint) => (asked.taints ?? []).some((other) => sameTaint(taint, other));
  const others = ((node.spec.taints ?? []) as readonly NodeTaint[]).filter((taint) => !isAsked(taint));
  return {
    metadata: {
      labels: { ...Object.fromEntries(gone.map((name) => [name, null])), ...group.labels },
      annotations: { [askedAnnotation]: askedText(group) },
    },
    spec: { taints: [...others, ...group.taints] },
  };
}

const sameTaint = (one: NodeTaint, other: NodeTaint): boolean =>
  one.key === other.key && one.effect === other.effect;

interface Asked {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly NodeTaint[];
}

const askedText = ({ labels, taints }: NodeGroup): string => JSON.stringify({ labels, taints });

/** Its pods go with it: their owners put others on other nodes. */
async function removeNode(
  client: KubeClient,
  { metadata: { name } }: Live<SimulatedNode>,
  signal: AbortSignal,
): Promise<void> {
  await client.mergePatch(nodeType, { name }, { spec: { unschedulable: true } }, { signal });
  const { items } = await client.list(podType, { fieldSelector: `spec.nodeName=${name}`, signal });
  await client.delete(nodeType, { name }, { signal });
  await Promise.all(
    items.map(async ({ metadata: { namespace, name: pod } }) =>
      client.delete(podType, { ...(namespace === undefined ? {} : { namespace }), name: pod }, { signal }),
    ),
  );
}
