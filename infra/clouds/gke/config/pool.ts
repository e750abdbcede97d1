// A pool of GPU nodes of Google Kubernetes Engine.
import { z } from "zod";
import { int32, text } from "@llama-operator/llama/api";
import { nearest } from "../../../config/nearest.ts";
import { cloudPoolFields } from "../../cloud-rules.ts";
import { gkeName, gkeZone } from "./cluster.ts";
import { findGkeShape, gkeShapes } from "./machines.ts";

const noReservation = z
  .never({ error: "only reserved capacity has one: write kind: reserved, or leave reservation out" })
  .exactOptional();

/** GKE ends a flex-start node after seven days at most. */
const longestRunSeconds = 7 * 24 * 3600;

/** Names of Compute Engine's resources: docs.cloud.google.com/compute/docs/naming-resources. */
const computeName = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A name alone; of a path, such as the console shows, the message says which field has what. */
const resourceName = (what: string) =>
  z.string().regex(computeName, {
    error: ({ input }) => {
      const [, project, reservation, block] =
        /projects\/([^/]+)\/(?:zones\/[^/]+\/)?reservations\/([^/]+)(?:\/reservationBlocks\/([^/]+))?$/.exec(
          String(input),
        ) ?? [];
      if (reservation === undefined) return `must be the name of ${what}, of small letters, digits and -`;
      const parts = [
        `reservation: ${reservation}`,
        `project: ${project}`,
        ...(block ? [`block: ${block}`] : []),
      ];
      return `must be a name, not a path: write ${parts.join(", ")}`;
    },
  });

const capacities = [
  z.strictObject({ kind: z.literal("onDemand"), reservation: noReservation }),
  z.strictObject({ kind: z.literal("spot"), reservation: noReservation }),
  z.strictObject({
    kind: z.literal("reserved"),
    reservation: resourceName("a reservation").describe(
      "Name of the reservation, which must be one for specific use.",
    ),
    project: text(63)
      .regex(/^[^/]+$/, { error: "must be the id of a project" })
      .exactOptional()
      .describe("Project that shares it; the cluster's when absent."),
    block: resourceName("a block").exactOptional().describe("Block of the reservation for the nodes."),
  }),
  z.strictObject({
    kind: z.literal("flexStart"),
    maxRunSeconds: int32(600, longestRunSeconds).describe("How long a node may live."),
    reservation: noReservation,
  }),
  z.strictObject({ kind: z.literal("queued"), reservation: noReservation }),
] as const;

const capacity = z.discriminatedUnion("kind", capacities, {
  error: (issue) =>
    issue.code === "invalid_union"
      ? 'GKE has "onDemand", "spot", "reserved", "flexStart" and "queued"'
      : undefined,
});

const givenNetwork = z.strictObject({
  network: text(512).describe("Name or self link of a network."),
  subnetwork: text(512).describe("Name or self link of its subnetwork in the cluster's region."),
});

const fabric = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("none") }),
    z.strictObject({ kind: z.literal("dranet") }),
    z.strictObject({
      kind: z.literal("multiNetwork"),
      networks: z
        .array(givenNetwork)
        .exactOptional()
        .describe("Networks that are there, one for each interface; the stack makes them when absent."),
    }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union" ? 'must be "none", "dranet" or "multiNetwork"' : undefined,
  },
);

const placement = z.union([z.enum(["compact"]), z.strictObject({ policy: resourceName("a policy") })], {
  error: 'must be "compact", or { policy } of a placement policy that is there',
});

const upgrade = z
  .strictObject({
    strategy: z.enum(["surge", "blueGreen"]).default("surge").describe("How nodes are replaced."),
    maxSurge: int32(0, 20).default(0).describe("Nodes that are made before others go: spare GPUs."),
    maxUnavailable: int32(0, 20).default(1).describe("Nodes that go before others are made."),
  })
  .refine(
    ({ strategy, maxSurge, maxUnavailable }) => strategy === "blueGreen" || maxSurge + maxUnavailable > 0,
    {
      error: "with maxSurge 0 no node could ever be replaced: write at least 1",
      path: ["maxUnavailable"],
    },
  );

export const gkePool = z.strictObject({
  ...cloudPoolFields,
  name: gkeName.describe("Name of the node pool and of its GpuPool."),
  machineShape: z
    .string()
    .refine((name) => findGkeShape(name) !== undefined, {
      error: ({ input }) =>
        `the catalog has no machine ${String(input)} of Google Cloud; nearest are ${nearest(input, gkeShapes)}`,
    })
    .describe("Machine type, such as `a3-highgpu-8g`."),
  zones: z.array(gkeZone).min(1).describe("Zones of the nodes."),
  capacity: capacity.default({ kind: "onDemand" }),
  driver: z
    .enum(["default", "latest", "gpuOperator"])
    .default("default")
    .describe(
      "Who brings driver and device plugin: GKE, its default or latest driver of the version; or Google's installer the driver and NVIDIA's GPU Operator the rest.",
    ),
  fabric: fabric
    .exactOptional()
    .describe(
      "Network between the GPUs of several nodes; required where a pool has several that could use it.",
    ),
  placement: placement
    .exactOptional()
    .describe(
      "Nodes close together: `compact`, or { policy } of a placement policy that is there, such as a reservation's; anywhere in the zone when absent.",
    ),
  repair: z
    .boolean()
    .exactOptional()
    .describe("Whether GKE replaces nodes that are broken; true, except with flex-start."),
  upgrade: upgrade.prefault({}),
  locationPolicy: z
    .enum(["ANY", "BALANCED"])
    .default("ANY")
    .describe("Where the autoscaler adds nodes: wherever there are some, or evenly over the zones."),
  bootDiskGib: int32(50, 65_536).default(100).describe("Boot disk of a node in GiB."),
});

export type GkePool = z.output<typeof gkePool>;
