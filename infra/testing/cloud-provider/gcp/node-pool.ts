// GKE node pools: what the provider replaces, and the nodes that a pool is. What the API refuses is in
// node-pool-refusals.ts. ForceNew after hashicorp/terraform-provider-google google/services/container/
// {resource_container_node_pool,node_config}.go of 2026: labels, taints, machine type and tags are changed in place there.

import { createHash } from "node:crypto";

import {
  isPropertyList,
  isPropertyMap,
  type PropertyMap,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { NodeTaint } from "@llama-operator/llama/catalog";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import type { Device, NodeGroup } from "../node-group.ts";
import { hasDefaultPool, poolsOf } from "./cluster.ts";
import { findMachine, gpuShape } from "./machines.ts";
import { lastPart, part, projectOf, regionOfPlace } from "./names.ts";
import { nodePoolRefusal } from "./node-pool-refusals.ts";
import {
  acceleratorsOf,
  clusterIdOf,
  clusterOf,
  driverLabels,
  nodeCountOf,
  poolLocation,
  poolZones,
} from "./pool-facts.ts";

const nodeConfig = (...fields: readonly string[]) => fields.map((field) => `nodeConfig.${field}`);
const networkConfig = (...fields: readonly string[]) => fields.map((field) => `networkConfig.${field}`);

export const nodePool: CloudResource = {
  required: ["cluster"],
  nameInput: "name",
  id: (inputs, cloud) => `${clusterIdOf(inputs, cloud)}/nodePools/${textOf(inputs["name"])}`,
  conflict: (id) => `resource - ${id} - already exists`,
  replacing: [
    "name",
    "namePrefix",
    "project",
    "cluster",
    "location",
    "initialNodeCount",
    "maxPodsPerNode",
    "placementPolicy",
    "queuedProvisioning",
    ...networkConfig(
      "acceleratorNetworkProfile",
      "additionalNodeNetworkConfigs",
      "additionalPodNetworkConfigs",
      "createPodRange",
      "podIpv4CidrBlock",
      "podRange",
      "subnetwork",
    ),
    ...nodeConfig(
      "advancedMachineFeatures",
      "bootDiskKmsKey",
      "confidentialNodes",
      "enableConfidentialStorage",
      "ephemeralStorageLocalSsdConfig",
      "flexStart",
      "guestAccelerators",
      "hostMaintenancePolicy",
      "localNvmeSsdBlockConfig",
      "localSsdCount",
      "localSsdEncryptionMode",
      "maxRunDuration",
      "metadata",
      "minCpuPlatform",
      "nodeGroup",
      "oauthScopes",
      "preemptible",
      "reservationAffinity",
      "sandboxConfig",
      "secondaryBootDisks",
      "serviceAccount",
      "shieldedInstanceConfig",
      "soleTenantConfig",
      "spot",
    ),
  ],
  refusal: nodePoolRefusal,
  outputs(record, cloud) {
    const { inputs, serial } = record;
    const [project, location] = [projectOf(inputs, cloud), poolLocation(inputs, cloud)];
    const groups = poolZones(inputs, cloud).map(
      (zone) =>
        `https://www.googleapis.com/compute/v1/projects/${project}/zones/${zone}/instanceGroupManagers/gke-${textOf(inputs["name"])}-${serial.toString(16)}-grp`,
    );
    return {
      project,
      location,
      nodeLocations: poolZones(inputs, cloud),
      nodeCount: inputs["nodeCount"] ?? inputs["initialNodeCount"] ?? 0,
      initialNodeCount: inputs["initialNodeCount"] ?? inputs["nodeCount"] ?? 0,
      maxPodsPerNode: inputs["maxPodsPerNode"] ?? 110,
      version: inputs["version"] ?? clusterOf(inputs, cloud)?.outputs["masterVersion"] ?? "",
      instanceGroupUrls: groups,
      managedInstanceGroupUrls: groups,
      operation: "",
    };
  },
  nodes,
};

function nodes(record: CloudRecord, cloud: CloudView): NodeGroup | undefined {
  const { inputs, serial } = record;
  const config = part(inputs, "nodeConfig");
  const machineType = textOf(config["machineType"]) || "e2-medium";
  const ssds = part(config, "ephemeralStorageLocalSsdConfig")["localSsdCount"];
  const machine = findMachine(machineType, typeof ssds === "number" ? ssds : 0);
  if (machine === undefined) return undefined;
  const [cluster, name] = [lastPart(clusterIdOf(inputs, cloud)), textOf(inputs["name"])];
  const unique = createHash("sha256").update(`${record.id} ${serial}`).digest("hex");
  return {
    machine,
    count: nodeCountOf(inputs, cloud),
    zones: poolZones(inputs, cloud),
    region: regionOfPlace(poolLocation(inputs, cloud)),
    nodeName: (index) =>
      `gke-${`${cluster}-${name}`.slice(0, 40)}-${unique.slice(0, 8)}-${index.toString(36).padStart(4, "0")}`,
    labels: labelsOf(inputs, name, machineType),
    taints: taintsOf(record, cloud),
    devices: devicesOf(config, machineType),
  };
}

/** https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels and the label names of each feature. */
function labelsOf(inputs: PropertyMap, pool: string, machineType: string): Readonly<Record<string, string>> {
  const config = part(inputs, "nodeConfig");
  const asked = Object.entries(part(config, "labels")).map(
    ([label, value]) => [label, textOf(value)] as const,
  );
  const isSet = (field: string) => (config[field] === true ? "true" : undefined);
  const [accelerator] = acceleratorsOf(config);
  const own = {
    "cloud.google.com/gke-nodepool": pool,
    "cloud.google.com/gke-os-distribution": "cos",
    "cloud.google.com/gke-container-runtime": "containerd",
    "cloud.google.com/machine-family": machineType.split("-")[0],
    "node.kubernetes.io/instance-type": machineType,
    "cloud.google.com/gke-spot": isSet("spot"),
    "cloud.google.com/gke-flex-start": isSet("flexStart"),
    "cloud.google.com/gke-queued":
      part(inputs, "queuedProvisioning")["enabled"] === true ? "true" : undefined,
    "cloud.google.com/gke-ephemeral-storage-local-ssd":
      config["ephemeralStorageLocalSsdConfig"] === undefined ? undefined : "true",
    "cloud.google.com/gke-accelerator": accelerator?.type,
    "cloud.google.com/gke-accelerator-count":
      accelerator === undefined ? undefined : String(accelerator.count),
    "cloud.google.com/gke-gpu-driver-version":
      accelerator === undefined ? undefined : driverLabels[accelerator.driver],
  };
  const given = Object.entries(own).flatMap(([label, value]) =>
    value === undefined ? [] : [[label, value] as const],
  );
  return Object.fromEntries([...given, ...asked]);
}

const effects: Readonly<Record<string, NodeTaint["effect"]>> = {
  NO_SCHEDULE: "NoSchedule",
  PREFER_NO_SCHEDULE: "PreferNoSchedule",
  NO_EXECUTE: "NoExecute",
};

/**
 * GKE taints GPU nodes itself, unless every pool that the cluster had before has GPUs: so that its own pods find a place
 * (terraform-google-modules/terraform-google-kubernetes-engine issue 703).
 */
function taintsOf(record: CloudRecord, cloud: CloudView): readonly NodeTaint[] {
  const config = part(record.inputs, "nodeConfig");
  const asked = config["taints"];
  const own = (isPropertyList(asked) ? asked : []).filter(isPropertyMap).map(({ key, value, effect }) => ({
    key: textOf(key),
    value: textOf(value),
    effect: effects[textOf(effect)] ?? "NoSchedule",
  }));
  const cluster = clusterOf(record.inputs, cloud);
  const pools = cluster === undefined ? [] : poolsOf(cluster.id, cloud);
  const others = pools.filter(({ serial }) => serial < record.serial);
  const hasPlainPool =
    (cluster !== undefined && hasDefaultPool(cluster)) ||
    others.some(({ inputs }) => acceleratorsOf(part(inputs, "nodeConfig")).length === 0);
  const added: NodeTaint[] = [];
  if (acceleratorsOf(config).length > 0 && hasPlainPool) {
    added.push({ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" });
  }
  if (part(record.inputs, "queuedProvisioning")["enabled"] === true) {
    added.push({ key: "cloud.google.com/gke-queued", value: "true", effect: "NoSchedule" });
  }
  const isAsked = (taint: NodeTaint) =>
    own.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  return [...own, ...added.filter((taint) => !isAsked(taint))];
}

/**
 * The image of the DaemonSet that people apply where GKE is to install nothing, by the last part of its name:
 * GoogleCloudPlatform/container-engine-accelerators nvidia-driver-installer/cos/daemonset-preloaded.yaml.
 */
const driverInstaller = "cos-nvidia-installer";
/** The driver container of NVIDIA's GPU Operator: a second driver breaks the first. */
const operatorDriver = "driver";

/** The image of the plugin that people run themselves. */
const ownDevicePlugin = "k8s-device-plugin";
/**
 * Nodes with this label have no plugin of GKE's, nor its driver, which an init container of that plugin installs.
 * Source: NVIDIA/aicr recipes/overlays/gke-cos.yaml and pull request 2047.
 */
const noPluginLabel = "gke-no-default-nvidia-gpu-device-plugin";

/** GKE runs its own driver and device plugin on every GPU node, unless a label says no. */
function devicesOf(config: PropertyMap, machineType: string): readonly Device[] {
  const shape = gpuShape(machineType);
  if (shape === undefined) return [];
  const isLabelled = part(config, "labels")[noPluginLabel] === "true";
  const managed =
    !isLabelled && acceleratorsOf(config).some(({ driver }) => driver !== "INSTALLATION_DISABLED");
  return [
    {
      resource: "nvidia.com/gpu",
      count: shape.gpusPerNode,
      needs: [...(managed ? [] : [driverInstaller]), ...(isLabelled ? [ownDevicePlugin] : [])],
      conflicts: managed ? [operatorDriver] : [],
    },
  ];
}
