// What the kubelets of a cloud's nodes learn from device plugins: a device is allocatable on a node while the plugin
// and the driver that it needs run there, ready, and nothing runs there that conflicts with it. Simulated pods announce
// nothing, so that this looks for them, for as long as the cluster is used.
//
// As a kubelet: a device whose plugin is gone keeps its capacity, and none of it is allocatable.

import { setTimeout as sleep } from "node:timers/promises";

import { nodeType, type SimulatedNode } from "../../../local/cluster/nodes.ts";
import { clusterClient } from "../../../local/cluster/client.ts";
import type { KubeClient, Live } from "@llama-operator/kube-runtime/client";
import type { Device } from "./node-group.ts";
import { devicesAnnotation, type PodObject, podType, poolLabel } from "./nodes.ts";

const pollMs = 200;

/** Follows all nodes of clouds' pools until the signal is aborted. Failures are tried again: the server may restart. */
export async function followDevices(kubeconfigPath: string, signal: AbortSignal): Promise<void> {
  await using connection = await clusterClient(kubeconfigPath);
  while (!signal.aborted) {
    await announceDevices(connection.client, signal).catch(() => undefined);
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function announceDevices(client: KubeClient, signal: AbortSignal): Promise<void> {
  const { items: nodes } = await client.list(nodeType, { labelSelector: poolLabel, signal });
  const equipped = nodes.filter((node) => devicesOf(node).length > 0);
  if (equipped.length === 0) return;
  const { items: pods } = await client.list(podType, { signal });
  for (const node of equipped) {
    const images = imagesOn(node.metadata.name, pods);
    const status = deviceStatus(node, devicesOf(node), images);
    if (status !== undefined) {
      await client.mergePatch(
        nodeType,
        { name: node.metadata.name },
        { status },
        { subresource: "status", signal },
      );
    }
  }
}

function devicesOf({ metadata }: Live<SimulatedNode>): readonly Device[] {
  return JSON.parse(metadata.annotations?.[devicesAnnotation] ?? "[]") as readonly Device[];
}

/** What runs ready on the node: `nvcr.io/nvidia/k8s-device-plugin:v0.18.0` as `k8s-device-plugin`. */
function imagesOn(nodeName: string, pods: readonly Live<PodObject>[]): ReadonlySet<string> {
  const ready = pods.filter(
    ({ spec, status, metadata }) =>
      spec.nodeName === nodeName &&
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True"),
  );
  const images = ready.flatMap(({ spec }) => [...spec.containers, ...(spec.initContainers ?? [])]);
  return new Set(images.flatMap(({ image }) => image?.match(/([^/:@]+)(?:[:@][^/]*)?$/)?.[1] ?? []));
}

/** The change of a node's status, if there is one. */
export function deviceStatus(
  node: Pick<SimulatedNode, "status">,
  devices: readonly Device[],
  images: ReadonlySet<string>,
): SimulatedNode["status"] | undefined {
  const { capacity = {}, allocatable = {} } = node.status ?? {};
  const changed: { capacity: Record<string, string>; allocatable: Record<string, string> } = {
    capacity: {},
    allocatable: {},
  };
  for (const { resource, count, needs, conflicts } of devices) {
    const works = needs.every((image) => images.has(image)) && !conflicts.some((image) => images.has(image));
    const before = allocatable[resource];
    if (works && before !== String(count)) {
      changed.capacity[resource] = String(count);
      changed.allocatable[resource] = String(count);
    } else if (!works && capacity[resource] !== undefined && before !== "0") {
      changed.allocatable[resource] = "0";
    }
  }
  return Object.keys(changed.allocatable).length === 0 ? undefined : changed;
}
