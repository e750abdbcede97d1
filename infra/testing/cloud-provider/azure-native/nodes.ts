// The nodes that an agent pool is, be it a resource of its own or inside its cluster.

import { createHash } from "node:crypto";

import { isPropertyList, type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import { findGpu, type NodeTaint } from "@llama-operator/llama/catalog";
import type { Device, NodeGroup } from "../node-group.ts";
import { findMachine, gpuShape } from "./machines.ts";
import { lastPart, part } from "./names.ts";

export interface AgentPoolPlace {
  readonly clusterId: string;
  readonly name: string;
  readonly location: string;
}

export function agentPoolNodes(pool: PropertyMap, place: AgentPoolPlace): NodeGroup | undefined {
  const vmSize = textOf(pool["vmSize"]);
  const disk =
    pool["osDiskType"] === "Managed" && typeof pool["osDiskSizeGB"] === "number"
      ? pool["osDiskSizeGB"]
      : undefined;
  const machine = findMachine(vmSize, disk);
  if (machine === undefined) return undefined;
  // The eight digits are the same for all pools of a cluster.
  const digits = Number.parseInt(createHash("sha256").update(place.clusterId).digest("hex").slice(0, 8), 16);
  return {
    machine,
    count: nodeCount(pool),
    zones: zonesOf(pool, place.location),
    region: place.location,
    nodeName: (index) =>
      `aks-${place.name}-${String(digits % 10 ** 8).padStart(8, "0")}-vmss${index.toString(36).padStart(6, "0")}`,
    labels: labelsOf(pool, vmSize, place),
    taints: taintsOf(pool),
    devices: devicesOf(pool, vmSize),
  };
}

/** No autoscaler is simulated: there are as many as it was made with, within its limits. */
export function nodeCount(pool: PropertyMap): number {
  const number = (value: PropertyMap[string] | undefined) => (typeof value === "number" ? value : 0);
  const count = typeof pool["count"] === "number" ? pool["count"] : 1;
  if (pool["enableAutoScaling"] !== true) return count;
  return Math.min(Math.max(count, number(pool["minCount"])), number(pool["maxCount"]));
}

/** Zones as node labels have them: `eastus-1`; `0` without any. Source: learn.microsoft.com/azure/aks/use-labels. */
function zonesOf(pool: PropertyMap, location: string): readonly string[] {
  const zones = pool["availabilityZones"];
  const listed = isPropertyList(zones) ? zones.map((zone) => `${location}-${textOf(zone)}`) : [];
  return listed.length > 0 ? listed : ["0"];
}

/** Source: learn.microsoft.com/azure/aks/use-labels, Reserved system labels. */
function labelsOf(
  pool: PropertyMap,
  vmSize: string,
  { name, clusterId }: AgentPoolPlace,
): Readonly<Record<string, string>> {
  const asked = Object.entries(part(pool, "nodeLabels")).map(([label, value]) => [label, textOf(value)]);
  return {
    "kubernetes.azure.com/agentpool": name,
    "kubernetes.azure.com/cluster": `MC_${lastPart(clusterId)}`,
    "kubernetes.azure.com/managedby": "aks",
    "kubernetes.azure.com/mode": pool["mode"] === "System" ? "system" : "user",
    "kubernetes.azure.com/role": "agent",
    "kubernetes.azure.com/os-sku": textOf(pool["osSKU"]) || "Ubuntu",
    "kubernetes.azure.com/scalesetpriority": isSpot(pool) ? "spot" : "regular",
    "node.kubernetes.io/instance-type": vmSize,
    ...(hasNvidia(vmSize) ? { "kubernetes.azure.com/accelerator": "nvidia" } : {}),
    ...Object.fromEntries(asked),
  };
}

const hasNvidia = (vmSize: string): boolean => findGpu(gpuShape(vmSize)?.gpu ?? "")?.vendor === "nvidia";

const isSpot = (pool: PropertyMap): boolean => pool["scaleSetPriority"] === "Spot";

/** AKS adds one to spot nodes, and none to those with GPUs. */
function taintsOf(pool: PropertyMap): readonly NodeTaint[] {
  const asked = isPropertyList(pool["nodeTaints"]) ? pool["nodeTaints"].map(textOf) : [];
  const own = isSpot(pool) ? ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"] : [];
  return [...new Set([...asked, ...own])].map(taintOf);
}

function taintOf(text: string): NodeTaint {
  const [, key = "", value, effect = "NoSchedule"] = text.match(/^([^=:]+)(?:=([^:]*))?:(.+)$/) ?? [];
  return { key, ...(value === undefined ? {} : { value }), effect: effect as NodeTaint["effect"] };
}

/** The driver container of NVIDIA's GPU Operator. */
const operatorDriver = "driver";
const devicePlugin = "k8s-device-plugin";

/**
 * GPUs need a device plugin, which AKS does not bring, and one driver: AKS' own or the GPU Operator's. InfiniBand needs
 * its driver and the shared device plugin. Source: learn.microsoft.com/azure/aks/use-nvidia-gpu, and
 * azure.github.io/aks-rdma-infiniband.
 */
function devicesOf(pool: PropertyMap, vmSize: string): readonly Device[] {
  const shape = gpuShape(vmSize);
  if (shape === undefined) return [];
  const installed = part(pool, "gpuProfile")["driver"] !== "None";
  const gpus = {
    resource: "nvidia.com/gpu",
    count: shape.gpusPerNode,
    needs: installed ? [devicePlugin] : [devicePlugin, operatorDriver],
    conflicts: installed ? [operatorDriver] : [],
  };
  if (shape.fabric.type !== "infiniband") return [gpus];
  return [
    gpus,
    {
      resource: "rdma/shared_ib",
      // rdmaHcaMax of the plugin's configuration.
      count: 63,
      needs: ["doca-driver", "k8s-rdma-shared-dev-plugin"],
      conflicts: [],
    },
  ];
}
