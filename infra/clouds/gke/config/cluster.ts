// A cluster of Google Kubernetes Engine: its network, who may reach its control plane, its versions, its system nodes.
import { z } from "zod";
import { int32, text } from "@llama-operator/llama/api";
import { addressRange } from "../../address-range.ts";
import { quoted } from "../../kubernetes-version.ts";

/** Ids of projects: docs.cloud.google.com/resource-manager/docs/creating-managing-projects. */
const projectId = z.string().regex(/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/);

const region = z.string().regex(/^[a-z]+(-[a-z]+)+[0-9]+$/);

export const gkeZone = z.string().regex(/^[a-z]+(-[a-z]+)+[0-9]+-[a-z]$/);

/** Names of clusters, node pools and networks may have 40, 40 and 63 characters; pools' networks add some. */
export const gkeName = z.string().regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/);

const cidr = z.cidrv4();

const network = z.strictObject({
  nodes: addressRange.default("10.0.0.0/20").describe("Addresses of the nodes."),
  pods: addressRange
    .default("10.4.0.0/14")
    .describe("Addresses of the pods: GKE takes a /24 for each node, so a /14 is enough for 1024 nodes."),
  services: addressRange.default("10.8.0.0/20").describe("Addresses of the Services."),
});

const authorizedNetwork = z.strictObject({
  name: text(63).describe("What it is, for people."),
  cidr: cidr.describe("Addresses that may speak to the control plane, such as `203.0.113.0/24`."),
});

/** Name of the node pool that runs everything but models. */
export const systemPoolName = "system";

const systemPool = z.strictObject({
  machineType: text(63)
    .default("e2-standard-8")
    .describe("Machine type of the nodes that run everything but models."),
  zones: z
    .array(gkeZone)
    .min(1)
    .exactOptional()
    .describe("Their zones, which need not be those of the GPUs; chosen by GKE when absent."),
  nodes: z
    .strictObject({ min: int32(1, 1000), max: int32(1, 1000) })
    .refine(({ min, max }) => min <= max, { error: "must be at least systemPool.nodes.min", path: ["max"] })
    .default({ min: 1, max: 3 })
    .describe("Nodes in all zones together, between which the autoscaler chooses."),
});

const maintenance = z.strictObject({
  start: z.iso.datetime().describe("First time that GKE may maintain the cluster, RFC 3339 in UTC."),
  end: z.iso.datetime().describe("When that time ends: at least four hours later."),
  recurrence: text(256)
    .default("FREQ=WEEKLY;BYDAY=SA,SU")
    .describe("When it comes again, as RFC 5545 has it; GKE wants 48 hours in every 32 days."),
});

export const gkeCluster = z.strictObject({
  kind: z.literal("gke"),
  project: projectId.describe("Id of the Google Cloud project."),
  region: region.describe("Region: the control plane is in several of its zones."),
  name: gkeName.describe("Name of the cluster, and first part of the names of what belongs to it."),
  releaseChannel: z
    .enum(["RAPID", "REGULAR", "STABLE", "EXTENDED"])
    .default("REGULAR")
    .describe("Where GKE takes new versions from."),
  version: z
    .string(quoted)
    .regex(/^1\.\d+(\.\d+(-gke\.\d+)?)?$/, quoted)
    .exactOptional()
    .describe(
      'Least version of the control plane and first version of the nodes, whole or a beginning such as "1.35", of which ' +
        "GKE takes the newest; the channel's when absent.",
    ),
  network: network.prefault({}),
  authorizedNetworks: z
    .array(authorizedNetwork)
    .min(1)
    .describe("Who may reach the control plane; whoever runs Pulumi must be among them."),
  maintenance: maintenance
    .exactOptional()
    .describe("When GKE may maintain the cluster; at any time when absent."),
  deletionProtection: z
    .boolean()
    .default(true)
    .describe("Refuse to destroy the cluster, here and at Google Cloud."),
  systemPool: systemPool.prefault({}),
});

export type GkeCluster = z.output<typeof gkeCluster>;
