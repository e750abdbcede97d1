// An EKS cluster of its own network: what a person decides about it. Everything else follows.
import { z } from "zod";
import { int32 } from "@llama-operator/llama/api";
import { addressRange } from "../../address-range.ts";

/** The region that a zone's name begins with. */
export const zonePattern = /^[a-z]{2}(-[a-z]+)+-\d+[a-z]$/;

const minorInQuotes = { error: 'must be a minor version in quotes, such as "1.35"' };

export const kubernetesVersion = z.string(minorInQuotes).regex(/^1\.\d{2}$/, minorInQuotes);

const zone = z.string().regex(zonePattern, { error: "must be an availability zone, such as us-east-1a" });

const network = z.strictObject({
  cidr: addressRange
    .regex(/\/(1[6-9]|20)$/, { error: "must be a block of /16 to /20, such as 10.0.0.0/16" })
    .default("10.0.0.0/16")
    .describe("Addresses of the VPC: each zone's private subnet is an eighth of it."),
  zones: z
    .array(zone)
    .min(2, { error: "EKS asks for subnets in two zones at least: write one more" })
    .max(6, { error: "the network is cut for six zones at most" })
    .describe("Zones with subnets; those of every pool must be among them."),
  natGateways: z
    .enum(["one", "perZone"])
    .default("one")
    .describe(
      "One NAT gateway in the first zone, or one in each: dearer, and a lost zone cuts nobody else off.",
    ),
});

const endpoint = z.discriminatedUnion(
  "access",
  [
    z.strictObject({
      access: z.literal("public"),
      cidrs: z
        .array(z.cidrv4({ error: "must be a block such as 203.0.113.0/24" }))
        .min(1)
        .describe("From where the API server may be reached; nodes reach it inside the network."),
    }),
    z.strictObject({ access: z.literal("private") }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "must have access public, with the cidrs that may reach the API server, or private: then Pulumi must run where the network is reachable"
        : undefined,
  },
);

const systemPool = z.strictObject({
  machineType: z
    .string()
    .regex(/^[a-z][-a-z0-9]*\.[a-z0-9]+$/)
    .default("m7i.xlarge")
    .describe("EC2's instance type, without GPUs: the operator and the add-ons run here."),
  nodes: int32(2, 100).default(2).describe("Its nodes, spread over the network's zones."),
});

export const eksCluster = z.strictObject({
  kind: z.literal("eks"),
  name: z
    .string()
    .max(40)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
    .describe("Name of the cluster; those of its network, roles and templates begin with it."),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, { error: "must be a region, such as us-east-1" })
    .describe("AWS' region."),
  profile: z
    .string()
    .min(1)
    .max(64)
    .exactOptional()
    .describe(
      "Profile of the AWS CLI that Pulumi and kubectl log in with; the environment's own when absent.",
    ),
  version: kubernetesVersion.describe("Kubernetes of the control plane, as a minor version."),
  network,
  endpoint,
  administrators: z
    .array(
      z.string().regex(/^arn:aws[-a-z]*:iam::\d{12}:(role|user)\/.+$/, {
        error: "must be the ARN of an IAM role or user",
      }),
    )
    .default([])
    .describe("IAM roles and users that administer the cluster, beside who makes it."),
  systemPool: systemPool.default({ machineType: "m7i.xlarge", nodes: 2 }),
  autoscaler: z
    .enum(["none", "clusterAutoscaler"])
    .default("none")
    .describe(
      "EKS adds no node by itself. `clusterAutoscaler` where you run one: then pools may have fewer nodes at first than at most.",
    ),
  protect: z.boolean().default(false).describe("Refuse to destroy the cluster and its network."),
  tags: z.record(z.string(), z.string()).default({}).describe("Tags of everything that can have some."),
});

export type EksCluster = z.output<typeof eksCluster>;
