// What the operator must know of an EKS pool: its GpuPool, from the catalog's machine and what the pool sets up.
import { findMachineShape, type MachineShape } from "@llama-operator/llama/catalog";
import type { Written } from "../../../config/pool.ts";
import { efaDevices } from "./pool.ts";
import type { EksPool } from "./pool.ts";

const gibibyte = 2 ** 30;

/**
 * Local disk that pods can request where the NVMe disks are one volume: what the kubelet leaves below its eviction
 * threshold of 10 %, less the 1 GiB that EKS reserves. It is the formula behind the 17 GiB that Karpenter's table has
 * for the default root volume of 20 GiB.
 * Source: aws/karpenter-provider-aws, instance-types.md; awslabs/amazon-eks-ami, nodeadm's kubelet defaults.
 */
function raidStorageGib({ localStorageBytes }: MachineShape): number {
  return Math.floor((localStorageBytes / gibibyte) * 0.9 - 1);
}

/** The facts of a pool's GpuPool. EKS labels every node with the name of its group. */
export function eksGpuPool(pool: EksPool): Written | undefined {
  const shape = findMachineShape(pool.machineShape);
  if (shape === undefined) return undefined;
  return {
    gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
    machineShape: shape.name,
    ...(pool.localStorage === "raid0" && shape.localStorageBytes > 0
      ? { allocatable: { ephemeralStorage: `${raidStorageGib(shape)}Gi` } }
      : {}),
    nodeSelector: { "eks.amazonaws.com/nodegroup": pool.name },
    tolerations: shape.nodeTaints.map(({ key, effect }) => ({ key, operator: "Exists", effect })),
    ...(efaDevices(pool) === 0 ? {} : { fabric: shape.fabric }),
  };
}
