// What GKE asks of each machine type: facts that only who makes node pools needs, so they are not in the catalog.
import { findMachineShape, machineShapes, type MachineShape } from "@llama-operator/llama/catalog";

/** Machine types of GKE that the catalog knows. */
export const gkeShapes: readonly MachineShape[] = machineShapes.filter(({ cloud }) => cloud === "gke");

export function findGkeShape(name: string): MachineShape | undefined {
  const shape = findMachineShape(name);
  return shape?.cloud === "gke" ? shape : undefined;
}

/** What a machine's fabric needs where its networks are made by hand. */
export interface MultiNetwork {
  /** Networks beside the cluster's own, each with its own interface on every node. */
  readonly networks: number;
  /** First version of each minor version of GKE that supports it. */
  readonly versions: readonly string[];
}

/**
 * A3 High speaks GPUDirect-TCPX over four further networks, A3 Mega TCPXO over eight.
 * Source: GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool/gpu_direct.tf (settings by machine type).
 */
const multiNetworks: Readonly<Record<string, MultiNetwork>> = {
  "a3-highgpu-8g": {
    networks: 4,
    versions: ["1.27.7-gke.1121000", "1.28.8-gke.1095000", "1.29.15-gke.2467000", "1.30.2-gke.1023000"],
  },
  "a3-megagpu-8g": {
    networks: 8,
    versions: [
      "1.28.9-gke.1250000",
      "1.29.4-gke.1542000",
      "1.30.4-gke.1129000",
      "1.31.1-gke.2008000",
      "1.32.11-gke.1174000",
    ],
  },
};

export const multiNetworkOf = (machine: string): MultiNetwork | undefined =>
  Object.hasOwn(multiNetworks, machine) ? multiNetworks[machine] : undefined;

/**
 * Managed DRANET with networks that GKE makes itself (`acceleratorNetworkProfile: auto`).
 * Source: docs.cloud.google.com/kubernetes-engine/docs/how-to/allocate-network-resources-dra, requirements.
 */
export const dranetVersion = "1.34.1-gke.1829001";

/** Source: docs.cloud.google.com/kubernetes-engine/docs/how-to/dws-flex-start-inference, requirements. */
export const flexStartVersion = "1.32.2-gke.1652000";

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
