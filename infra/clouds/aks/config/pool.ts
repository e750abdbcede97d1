// A pool of GPU nodes on AKS, in AKS's own terms. What its GpuPool says follows from these: see facts.ts.
import { z } from "zod";
import { int32, text } from "@llama-operator/llama/api";
import { findMachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { cloudPoolFields } from "../../cloud-rules.ts";
import { kubernetesVersion } from "../../kubernetes-version.ts";
import { zone } from "./cluster.ts";

const known = machineShapes.filter(({ cloud }) => cloud === "aks").map(({ name }) => name);

const reservationGroup =
  /^\/subscriptions\/[^/]+\/resource[gG]roups\/[^/]+\/providers\/Microsoft\.Compute\/capacityReservationGroups\/[^/]+$/;

const capacity = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("onDemand") }),
    z.strictObject({
      kind: z.literal("spot"),
      maxDollarsPerHour: z
        .number()
        .positive()
        .exactOptional()
        .describe("Most that a node may cost an hour; up to the price on demand when absent."),
    }),
    z.strictObject({
      kind: z.literal("reserved"),
      reservation: z
        .string()
        .regex(reservationGroup, {
          error:
            "should be the id of a capacity reservation group: /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/capacityReservationGroups/…",
        })
        .describe("Id of the capacity reservation group."),
      zone: zone.exactOptional().describe("Zone that holds it; absent where it holds a region's."),
    }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? 'AKS has "onDemand", "spot" and "reserved" (a capacity reservation group); flexStart and queued are GKE\'s, capacityBlock is EKS\'s'
        : undefined,
  },
);

const disk = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("ephemeral") }),
    z.strictObject({
      kind: z.literal("managed"),
      sizeGib: int32(64, 2048).describe("Size of the disk."),
    }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? 'must be "ephemeral" (the machine\'s own temporary disk) or "managed", with sizeGib'
        : undefined,
  },
);

export const aksPool = z.strictObject({
  ...cloudPoolFields,
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,11}$/, {
      error: "AKS takes 1 to 12 lower-case letters and digits, a letter first",
    })
    .describe("Name of the agent pool and of its GpuPool."),
  machineShape: text(63)
    .refine((name) => findMachineShape(name)?.cloud === "aks", {
      error: ({ input }) => `the catalog has no AKS machine ${String(input)}; it has ${known.join(", ")}`,
    })
    .describe("Virtual machine of the nodes, such as `Standard_ND96isr_H100_v5`."),
  zones: z
    .array(zone)
    .min(1)
    .exactOptional()
    .describe("Zones of the nodes; the region's own choice when absent, the reservation's where reserved."),
  nodes: z
    .strictObject({
      min: int32(0, 1000).describe("Nodes that are always there."),
      max: int32(1, 1000).describe("Nodes that there may be; more than `min` where an autoscaler adds some."),
    })
    .refine(({ min, max }) => min <= max, { error: "must be at least nodes.min", path: ["max"] }),
  capacity: capacity.default({ kind: "onDemand" }),
  driver: z
    .enum(["install", "gpuOperator"], {
      error:
        'must be "install" (AKS\'s own, with the device plugin) or "gpuOperator" (NVIDIA\'s operator brings it)',
    })
    .default("install")
    .describe("Who installs NVIDIA's driver."),
  infiniband: z
    .boolean()
    .default(false)
    .describe("Whether models that span nodes use InfiniBand between them."),
  kubernetesVersion: kubernetesVersion
    .exactOptional()
    .describe(
      "Version of the nodes; the cluster's when absent. A change empties and remakes them, one by one.",
    ),
  osDisk: disk
    .default({ kind: "ephemeral" })
    .describe("Disk of images, logs and emptyDir volumes, so also of weights that are no volume."),
});

export type AksPool = z.output<typeof aksPool>;
