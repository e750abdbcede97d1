// A pool of GPU nodes on EKS: a managed node group of one machine type.
import { z } from "zod";
import { int32 } from "@llama-operator/llama/api";
import { nearestNames, findMachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { cloudPoolFields } from "../../cloud-rules.ts";
import { eksCapacity } from "./capacity.ts";
import { kubernetesVersion, zonePattern } from "./cluster.ts";

const machines = machineShapes.filter(({ cloud }) => cloud === "eks").map(({ name }) => name);

const machineShape = z.string().refine((name) => machines.includes(name), {
  error: ({ input }) => {
    const elsewhere = findMachineShape(String(input))?.cloud;
    const nearest = nearestNames(String(input), machines).slice(0, 3).join(", ");
    return elsewhere === undefined
      ? `the catalog has no machine ${String(input)} of AWS; nearest are ${nearest}`
      : `${String(input)} is a machine of ${elsewhere}, not of AWS; nearest are ${nearest}`;
  },
});

const placementGroup = z.union(
  [z.enum(["create", "none"]), z.strictObject({ name: z.string().min(1).max(255) })],
  { error: 'must be "create", "none", or { name } of a placement group that is there' },
);

export const eksPool = z.strictObject({
  ...cloudPoolFields,
  name: z
    .string()
    .max(40)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .describe("Name of the node group and of the GpuPool."),
  machineShape: machineShape.describe("EC2's instance type, such as `p5.48xlarge`."),
  zones: z
    .array(z.string().regex(zonePattern, { error: "must be an availability zone, such as us-east-1a" }))
    .min(1)
    .describe("Where its nodes are: one zone for EFA, a placement group, a reservation or a capacity block."),
  // Without a default: such machines are rarely available on demand, so a person has to choose.
  capacity: eksCapacity.describe("Capacity type of its nodes."),
  amiType: z
    .enum(["AL2023_x86_64_NVIDIA"], {
      error:
        'must be "AL2023_x86_64_NVIDIA": no other of AWS\' images for EKS has driver, toolkit and RAID 0 as this program sets them up',
    })
    .default("AL2023_x86_64_NVIDIA")
    .describe("Image of the nodes: with NVIDIA's driver and container toolkit."),
  driver: z
    .enum(["image", "gpuOperator"])
    .default("image")
    .describe(
      "What comes beside the image's driver: NVIDIA's device plugin alone, or the GPU Operator, with its metrics and feature discovery. The same for all pools.",
    ),
  amiReleaseVersion: z
    .string()
    .regex(/^1\.\d+\.\d+-\d{8}$/, { error: "must be a release such as 1.35.2-20261101" })
    .exactOptional()
    .describe(
      "Release of the image; EKS' newest at the time when absent. To change it is to roll the nodes.",
    ),
  version: kubernetesVersion
    .exactOptional()
    .describe(
      "Kubernetes of the nodes; the cluster's at the time when the pool is made when absent. To change it is to roll the nodes.",
    ),
  efa: z
    .boolean()
    .exactOptional()
    .describe("Elastic Fabric Adapter; where the machine has it, unless said otherwise."),
  placementGroup: placementGroup
    .exactOptional()
    .describe("Cluster placement group: made for on-demand and spot pools with EFA, none otherwise."),
  localStorage: z
    .enum(["raid0", "none"])
    .default("raid0")
    .describe(
      "The NVMe disks as one volume for images and pods, or left raw: pods then have what the root volume has.",
    ),
  rootVolumeGib: int32(50, 16_384).default(100).describe("Root volume, gp3."),
});

export type EksPool = z.output<typeof eksPool>;

/** EFA devices of a pool's node: none where the pool says no. */
export function efaDevices({ machineShape: name, efa = true }: EksPool): number {
  const devices = findMachineShape(name)?.fabric.resources["vpc.amazonaws.com/efa"];
  return efa ? Number(devices ?? 0) : 0;
}

/** The placement group of a pool, where it does not say: nodes that talk over EFA need to be near each other. */
export function placementOf(pool: EksPool): NonNullable<EksPool["placementGroup"]> {
  if (pool.placementGroup !== undefined) return pool.placementGroup;
  const free = pool.capacity.kind === "onDemand" || pool.capacity.kind === "spot";
  return free && efaDevices(pool) > 0 ? "create" : "none";
}
