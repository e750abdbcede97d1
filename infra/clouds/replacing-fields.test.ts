// The guard's tables of what replaces a pool, beside the lists of what each provider replaces. They have two origins: the
// tables are of this package, with reasons and the cloud's documentation; the lists are all ForceNew fields of the
// provider's own source, in the doubles (infra/testing/cloud-provider). The SDKs of npm say neither: their resources have
// no `replaceOnChanges`, and the providers' schemas, which would, are in no package that could be installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import type { ReplacingField } from "../guards/replacing-field.ts";
import { isWithin } from "../local-engine/provider/differences.ts";
import { nodeGroup } from "../testing/cloud-provider/aws/node-group.ts";
import { agentPool } from "../testing/cloud-provider/azure-native/agent-pool.ts";
import { cluster as managedCluster } from "../testing/cloud-provider/azure-native/cluster.ts";
import { cluster as gkeCluster } from "../testing/cloud-provider/gcp/cluster.ts";
import { nodePool } from "../testing/cloud-provider/gcp/node-pool.ts";
import { agentPoolFacts } from "./aks/components/agent-pool.ts";
import { managedClusterFacts } from "./aks/components/managed-cluster.ts";
import {
  agentPoolReplacingFields,
  managedClusterReplacingFields,
} from "./aks/components/replacing-fields.ts";
import { aksCluster } from "./aks/config/cluster.ts";
import { aksPool } from "./aks/config/pool.ts";
import { launchTemplateFacts, nodeGroupFacts } from "./eks/components/gpu-node-group.ts";
import {
  launchTemplateReplacingFields,
  launchTemplateRollingFields,
  nodeGroupReplacingFields,
} from "./eks/components/replacing-fields.ts";
import { eksCluster } from "./eks/config/cluster.ts";
import { eksPool } from "./eks/config/pool.ts";
import { clusterArgs } from "./gke/components/cluster-args.ts";
import { gpuNodePoolArgs } from "./gke/components/gpu-node-pool-args.ts";
import { clusterReplacingFields, nodePoolReplacingFields } from "./gke/components/replacing-fields.ts";
import { gkeCluster as gkeClusterSchema } from "./gke/config/cluster.ts";
import { gkePool } from "./gke/config/pool.ts";

type Path = readonly (string | number)[];

interface Table {
  /** Module of the SDK's resource. */
  readonly sdk: string;
  readonly guarded: readonly ReplacingField[];
  /** What the provider replaces, as the double has it. */
  readonly replaced: readonly string[];
  /** How the sources of fields begin that are taken from the provider. */
  readonly provider: string;
  /** Arguments as the components make them, of pools of every kind. */
  readonly pools: readonly object[];
  /** What the provider replaces and the guard need not know, and why. */
  readonly unguarded: Readonly<Record<string, string>>;
}

const nodes = { min: 0, max: 2 };
const place = { kind: "aks", subscription: "00000000-0000-0000-0000-000000000000", location: "eastus" };
const aks = aksCluster.parse({
  ...place,
  resourceGroup: "llama",
  name: "llama",
  kubernetesVersion: "1.35",
  administrators: ["00000000-0000-0000-0000-000000000001"],
});
const eks = eksCluster.parse({
  kind: "eks",
  name: "llama",
  region: "us-east-1",
  version: "1.35",
  network: { zones: ["us-east-1a", "us-east-1b"] },
  endpoint: { access: "private" },
});
const reservationGroup =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/h100";
const capacityBlock = {
  kind: "capacityBlock",
  reservation: "cr-0123456789abcdef0",
  start: "2026-12-01T11:30:00Z",
  end: "2026-12-08T11:30:00Z",
};

const aksArgs = (pool: object) =>
  agentPoolFacts(
    aksPool.parse({ name: "h100", machineShape: "Standard_ND96isr_H100_v5", nodes, ...pool }),
    aks,
  );
const gke = gkeClusterSchema.parse({
  kind: "gke",
  project: "llama-serving-project",
  region: "us-central1",
  name: "llama",
  authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
});

const eksArgs = (pool: object) => ({
  ...nodeGroupFacts(
    eks,
    eksPool.parse({ name: "h100", machineShape: "p5.48xlarge", zones: ["us-east-1a"], nodes, ...pool }),
    new Date("2026-12-02T00:00:00Z"),
  ),
  nodeRoleArn: "role",
  subnetIds: ["subnet"],
  launchTemplate: { id: "lt-1", version: "1" },
});
const gkeArgs = (pool: object) =>
  gpuNodePoolArgs(
    gkePool.parse({ name: "h100", machineShape: "a3-megagpu-8g", zones: ["us-central1-a"], nodes, ...pool }),
    {
      cluster: { project: "p", region: "us-central1" },
      clusterId: "c",
      serviceAccount: "s",
      networks: [{ network: "n", subnetwork: "n" }],
    },
  );

const constant = "the same in every pool of this version of the package";
const another = "another resource of the stack, which is known only to the engine";

const tables: Readonly<Record<string, Table>> = {
  gke: {
    sdk: "@pulumi/gcp/container/nodePool.js",
    guarded: nodePoolReplacingFields,
    replaced: nodePool.replacing,
    provider: "hashicorp/terraform-provider-google:",
    pools: [
      gkeArgs({ capacity: { kind: "spot" }, fabric: { kind: "multiNetwork" } }),
      gkeArgs({ capacity: { kind: "queued" }, fabric: { kind: "dranet" } }),
      gkeArgs({ capacity: { kind: "flexStart", maxRunSeconds: 3600 } }),
      gkeArgs({ capacity: { kind: "reserved", reservation: "r" }, placement: "compact" }),
    ],
    unguarded: {
      name: "another name is another pool",
      "nodeConfig.metadata": constant,
      "nodeConfig.oauthScopes": constant,
      "nodeConfig.serviceAccount": another,
      "nodeConfig.shieldedInstanceConfig": constant,
    },
  },
  eks: {
    sdk: "@pulumi/aws/eks/nodeGroup.js",
    guarded: nodeGroupReplacingFields,
    replaced: nodeGroup.replacing,
    provider: "hashicorp/terraform-provider-aws:",
    pools: [
      eksArgs({ capacity: { kind: "onDemand" } }),
      eksArgs({ capacity: { kind: "spot" } }),
      eksArgs({ capacity: capacityBlock }),
    ],
    unguarded: { "launchTemplate.id": another },
  },
  aks: {
    sdk: "@pulumi/azure-native/containerservice/agentPool.js",
    guarded: agentPoolReplacingFields,
    replaced: agentPool.replacing,
    provider: "pulumi/pulumi-azure-native:",
    pools: [
      aksArgs({ capacity: { kind: "spot" } }),
      aksArgs({ capacity: { kind: "reserved", reservation: reservationGroup, zone: "1" } }),
    ],
    unguarded: {},
  },
  "gke's cluster": {
    sdk: "@pulumi/gcp/container/cluster.js",
    guarded: clusterReplacingFields,
    replaced: gkeCluster.replacing,
    provider: "hashicorp/terraform-provider-google:",
    pools: [clusterArgs(gke, { networkId: "n", subnetworkId: "n", multiNetwork: true, serviceAccount: "s" })],
    unguarded: { nodeConfig: "of the pool that the cluster was made with: a change of it is ignored" },
  },
  "aks' cluster": {
    sdk: "@pulumi/azure-native/containerservice/managedCluster.js",
    guarded: managedClusterReplacingFields,
    replaced: managedCluster.replacing,
    provider: "pulumi/pulumi-azure-native:",
    pools: [managedClusterFacts(aks, { resourceGroupName: "llama", identityId: "i", subnetId: "s" })],
    unguarded: {},
  },
};

function leaves(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

/** A field of a table as the lists write it. */
const patternOf = (field: string): string => field.replaceAll("[]", "[*]");
const within = (path: Path, fields: readonly string[]): boolean =>
  fields.some((field) => isWithin(path, patternOf(field)));
const pathOf = (field: string): Path => field.replaceAll("[]", ".0").split(".");

describe.each(Object.entries(tables))("the table of %s", (_cloud, table) => {
  const { guarded, replaced, provider, pools, unguarded, sdk } = table;
  const fields = guarded.map(({ field }) => field);

  test("holds arguments that the SDK's resource has", () => {
    const source = readFileSync(createRequire(import.meta.url).resolve(sdk), "utf8");
    const unknown = fields.filter(
      (field) => !source.includes(`resourceInputs["${String(pathOf(field)[0])}"] = args`),
    );
    expect(unknown).toEqual([]);
  });

  test("says of no field that the provider replaces it which it does not", () => {
    const claimed = guarded.filter(({ source }) => source.startsWith(provider));
    expect(claimed.length).toBeGreaterThan(0);
    expect(claimed.map(({ field }) => field).filter((field) => !within(pathOf(field), replaced))).toEqual([]);
  });

  test("has every argument of the pools that the provider replaces", () => {
    const replacing = pools.flatMap((args) => leaves(args)).filter((path) => within(path, replaced));
    expect(replacing.length).toBeGreaterThan(0);
    const known = [...fields, ...Object.keys(unguarded)];
    expect(replacing.filter((path) => !within(path, known)).map((path) => path.join("."))).toEqual([]);
  });

  test("leaves out only what its pools have", () => {
    const all = pools.flatMap((args) => leaves(args));
    const idle = Object.keys(unguarded).filter((field) => !all.some((path) => within(path, [field])));
    expect(idle).toEqual([]);
  });
});

test("all that EKS' launch template says of a node makes the nodes anew, or costs the pool its nodes", () => {
  const known = [...launchTemplateReplacingFields, ...launchTemplateRollingFields].map(({ field }) => field);
  const capacities = [
    { kind: "onDemand" },
    { kind: "spot" },
    { kind: "reserved", reservation: "cr-0123456789abcdef0" },
    capacityBlock,
  ];
  const said = capacities.flatMap((capacity) => {
    const pool = eksPool.parse({
      name: "h100",
      machineShape: "p5.48xlarge",
      zones: ["us-east-1a"],
      nodes: { min: 0, max: 2 },
      capacity,
    });
    return Object.keys(launchTemplateFacts(eks, pool));
  });
  expect([...new Set(said)].toSorted()).toEqual(known.toSorted());
});
