// What GKE asks of each machine type: facts that only who makes node pools needs, so they are not in the catalog.
import { findMachineShape, machineShapes, type MachineShape } from "@llama-operator/llama/catalog";

/** Machine types of GKE that the catalog knows. */
export const gkeShapes: readonly MachineShape[] = machineShapes.filter(({ cloud }) => cloud === "gke");

export function findGkeShape(name: string): MachineShape | undefined {
  const shape = findMachineShape(name);
  return shape?.cloud === "gke" ? shape : undefined;
}

/**
 * Networks beside the cluster's own where they are made by hand, each with its own interface on every node: A3 High speaks
 * GPUDirect-TCPX over four, A3 Mega TCPXO over eight. Every GKE that the operator runs on supports both.
 * Source: GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool/gpu_direct.tf (settings by machine type).
 */
const furtherNetworks: Readonly<Record<string, number>> = { "a3-highgpu-8g": 4, "a3-megagpu-8g": 8 };

export const furtherNetworksOf = (machine: string): number | undefined =>
  Object.hasOwn(furtherNetworks, machine) ? furtherNetworks[machine] : undefined;

/**
 * Flex-start nodes that may be placed compactly.
 * Source: GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool/main.tf, preconditions (A3 Ultra, A4, H4D).
 */
export const compactFlexStartShapes: readonly string[] = ["a3-ultragpu-8g", "a4-highgpu-8g"];

/** Bytes of one local SSD of Google Cloud: 375 GiB. Source: docs.cloud.google.com/compute/docs/disks/local-ssd. */
const localSsdBytes = 375 * 2 ** 30;

/** Local SSDs of a machine; all of them are joined into the nodes' ephemeral storage. */
export const localSsdCount = ({ localStorageBytes }: MachineShape): number =>
  Math.round(localStorageBytes / localSsdBytes);

/**
 * The `gpu_family` of the quota "GPUs per GPU family", which is the only one that Hopper and later GPUs have.
 * Source: docs.cloud.google.com/compute/resource-usage#gpu_quota.
 */
const quotaFamilies: Readonly<Record<string, string>> = {
  "nvidia-h100-80gb": "NVIDIA_H100",
  "nvidia-h100-mega-80gb": "NVIDIA_H100_MEGA",
  "nvidia-h200-141gb": "NVIDIA_H200",
  "nvidia-b200": "NVIDIA_B200",
};

export const quotaFamilyOf = (gpu: string): string | undefined =>
  Object.hasOwn(quotaFamilies, gpu) ? quotaFamilies[gpu] : undefined;
