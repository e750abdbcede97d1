// A cluster that AKS makes: where it is, its network, its system pool and who may log in. The resource group is the
// stack's own, so that taking the stack down leaves nothing of it.
import { z } from "zod";
import { int32, text } from "@llama-operator/llama/api";
import { addressRange } from "../../address-range.ts";
import { kubernetesVersion } from "../../kubernetes-version.ts";

const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, {
  error: "should be an id such as 00000000-0000-0000-0000-000000000000",
});

const ipRange = z.cidrv4({ error: "should be a range such as 10.240.0.0/16" });

/** Zones of a region as Azure numbers them for a subscription. */
export const zone = z.enum(["1", "2", "3"]);

const systemPool = z.strictObject({
  machine: text(63)
    .default("Standard_D4ds_v5")
    .describe("Virtual machine of the nodes that CoreDNS, the operator and the add-ons run on."),
  zones: z
    .array(zone)
    .min(1)
    .exactOptional()
    .describe("Its zones; the region's own choice when absent. It need not be in those of the GPUs."),
  nodes: z
    .strictObject({ min: int32(1, 1000).default(2), max: int32(1, 1000).default(3) })
    .refine(({ min, max }) => min <= max, { error: "must be at least nodes.min", path: ["max"] })
    .prefault({})
    .describe("How many there are, and how many the autoscaler may make of them."),
});

const api = z.discriminatedUnion(
  "access",
  [
    z.strictObject({
      access: z.literal("public"),
      authorizedRanges: z
        .array(ipRange)
        .max(200)
        .default([])
        .describe("Ranges that may reach the API server; all when empty."),
    }),
    z.strictObject({ access: z.literal("private") }),
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? 'must be "public", with authorizedRanges, or "private", which only the network of the cluster reaches'
        : undefined,
  },
);

/** The ways in which kubelogin logs in without asking a person. Source: azure.github.io/kubelogin/concepts/login-modes. */
const login = z.enum(["azurecli", "workloadidentity", "msi", "spn", "azd"]);

export const aksCluster = z.strictObject({
  kind: z.literal("aks"),
  subscription: uuid.describe("Id of the subscription."),
  tenant: uuid.exactOptional().describe("Id of the Entra tenant; the subscription's when absent."),
  location: z
    .string()
    .regex(/^[a-z0-9]+$/, { error: "should be a region as Azure names it, such as eastus" })
    .describe("Region."),
  resourceGroup: z
    .string()
    .max(90)
    .regex(/^[-\w.()]*[-\w()]$/)
    .describe("Name of the resource group that the stack makes and destroys."),
  name: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9]([-\w]*[A-Za-z0-9])?$/)
    .describe("Name of the cluster."),
  kubernetesVersion: kubernetesVersion.describe(
    "Version of the control plane; with a minor alone, AKS takes its latest patch.",
  ),
  administrators: z
    .array(uuid)
    .min(1, { error: "name at least one group: local accounts are off, so nobody else can log in" })
    .max(20)
    .describe(
      "Object ids of Entra groups whose members administer the cluster. Whoever runs `up` is in one.",
    ),
  login: login.default("azurecli").describe("How kubelogin logs in where this stack is run."),
  api: api.default({ access: "public", authorizedRanges: [] }),
  network: z
    .strictObject({
      addresses: addressRange.default("10.240.0.0/16").describe("Range of the virtual network."),
      nodes: addressRange.default("10.240.0.0/20").describe("Range of its subnet for nodes."),
      pods: addressRange.default("10.244.0.0/16").describe("Range of the overlay that pods live in."),
      services: addressRange.default("10.0.0.0/16").describe("Range of Services."),
    })
    .prefault({}),
  systemPool: systemPool.prefault({}),
  identity: z
    .string()
    .regex(
      /^\/subscriptions\/[^/]+\/resource[gG]roups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/[^/]+$/,
      {
        error:
          "should be the id of a user-assigned identity: /subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…",
      },
    )
    .exactOptional()
    .describe("Identity of the cluster; the stack makes one when absent. Reserved pools need yours."),
  tags: z.record(z.string(), z.string()).default({}).describe("Tags of everything that the stack makes."),
  protect: z.boolean().default(false).describe("Refuse to destroy the cluster."),
});

export type AksCluster = z.output<typeof aksCluster>;
