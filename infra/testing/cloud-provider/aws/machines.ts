// EC2's machines as nodes of EKS: those of the catalog, whose disks count only where they are joined, and the plain
// ones that system pools are of.

import { findMachineShape } from "@llama-operator/llama/catalog";
import type { NodeMachine } from "../../../../local/cluster/nodes.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/** Sources: docs.aws.amazon.com/ec2/latest/instancetypes/gp.html; the last is AWS' default of pods a node (eni-max-pods.txt). */
const plain: Readonly<Record<string, readonly [cpuCores: number, memoryGib: number, pods: number]>> = {
  "t3.medium": [2, 4, 17],
  "m7i.large": [2, 8, 29],
  "m7i.xlarge": [4, 16, 58],
  "m7i.2xlarge": [8, 32, 58],
};

/** What pods see of a disk: less the kubelet's eviction threshold of 10 % and the 1 GiB that EKS reserves. */
const storageOf = (bytes: number): number => Math.floor((bytes / gibibyte) * 0.9 - 1) * gibibyte;

/** The node of a machine, its disks joined to one (RAID 0) or raw beside the root volume. */
export function eksMachine(name: string, rootVolumeGib: number, joined: boolean): NodeMachine | undefined {
  const shape = findMachineShape(name);
  if (shape !== undefined) {
    const bytes = joined && shape.localStorageBytes > 0 ? shape.localStorageBytes : rootVolumeGib * gibibyte;
    return { ...shape, allocatable: { ...shape.allocatable, ephemeralStorageBytes: storageOf(bytes) } };
  }
  const facts = plain[name];
  if (facts === undefined) return undefined;
  const [cpuCores, memoryGib, pods] = facts;
  return {
    name,
    cpuCores,
    memoryBytes: memoryGib * gibibyte,
    localStorageBytes: 0,
    allocatable: {
      // awslabs/amazon-eks-ami nodeadm: 60, 10, 5, 5, then 2.5 millicores a core; 255 MiB and 11 MiB a pod.
      cpuMillicores: cpuCores * 1000 - 80 - Math.max(0, cpuCores - 4) * 2.5,
      memoryBytes: memoryGib * gibibyte - (255 + 11 * pods + 100) * mebibyte,
      ephemeralStorageBytes: storageOf(rootVolumeGib * gibibyte),
    },
  };
}
