// What changes of a stack's file do to the nodes of a pool, on each cloud, as the guard says it in a plain preview: the pool
// is replaced, its nodes are made anew one by one, or they are left alone.
import { describe, expect, test } from "vitest";
import { recordOf } from "../guards/guard-pools.ts";
import type { GuardedPool } from "../guards/guard-pools.ts";
import { notices, replacements } from "../guards/replacements.ts";
import { aksCluster } from "./aks/config/cluster.ts";
import { aksPool } from "./aks/config/pool.ts";
import { guardedPool as guardedAksPool } from "./aks/guarded-pool.ts";
import { eksCluster } from "./eks/config/cluster.ts";
import { eksPool } from "./eks/config/pool.ts";
import { guardedPool as guardedEksPool } from "./eks/guarded-pool.ts";
import { gkeCluster } from "./gke/config/cluster.ts";
import { gkePool } from "./gke/config/pool.ts";
import { guardedPool as guardedGkePool } from "./gke/guarded-pool.ts";

interface Sections {
  readonly cluster?: object;
  readonly pool?: object;
}

/** Fields that cost the pool its nodes, and what else is said. */
function effect(before: GuardedPool, after: GuardedPool): { replaced: readonly string[]; said: string } {
  const former = { [before.name]: recordOf(before) };
  const wanted = [{ ...after, record: recordOf(after) }];
  const found = replacements(former, wanted);
  return {
    replaced: found.flatMap(({ changes }) => changes.map(({ field }) => field)),
    said: notices(former, wanted, found).join("\n"),
  };
}

const nodes = { min: 3, max: 3 };

const eks = ({ cluster, pool }: Sections = {}, now = "2026-12-01T00:00:00Z"): GuardedPool =>
  guardedEksPool(
    eksCluster.parse({
      kind: "eks",
      name: "llama",
      region: "us-east-1",
      version: "1.35",
      network: { zones: ["us-east-1a", "us-east-1b"] },
      endpoint: { access: "private" },
      ...cluster,
    }),
    eksPool.parse({
      name: "h100",
      machineShape: "p5.48xlarge",
      zones: ["us-east-1a"],
      nodes,
      capacity: { kind: "reserved", reservation: "cr-0123456789abcdef0" },
      ...pool,
    }),
    new Date(now),
  );

const gke = ({ cluster, pool }: Sections = {}): GuardedPool =>
  guardedGkePool(
    gkeCluster.parse({
      kind: "gke",
      project: "llama-serving-project",
      region: "us-central1",
      name: "llama",
      authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
      ...cluster,
    }),
    gkePool.parse({
      name: "h100",
      machineShape: "a3-highgpu-8g",
      zones: ["us-central1-a"],
      nodes,
      capacity: { kind: "reserved", reservation: "llama-h100" },
      ...pool,
    }),
  );

const aks = ({ cluster, pool }: Sections = {}): GuardedPool =>
  guardedAksPool(
    aksCluster.parse({
      kind: "aks",
      subscription: "00000000-0000-0000-0000-000000000000",
      location: "eastus",
      resourceGroup: "llama",
      name: "llama",
      kubernetesVersion: "1.35",
      administrators: ["00000000-0000-0000-0000-000000000001"],
      ...cluster,
    }),
    aksPool.parse({
      name: "h100",
      machineShape: "Standard_ND96isr_H100_v5",
      nodes,
      capacity: { kind: "onDemand" },
      ...pool,
    }),
  );

const clouds = { eks, gke, aks };
const zonesTurned = { network: { zones: ["us-east-1b", "us-east-1a"] } };
const reserved = (reservation: string) => ({ capacity: { kind: "reserved", reservation } });

describe("a pool is replaced", () => {
  test.each<readonly [keyof typeof clouds, string, Sections, string]>([
    [
      "eks",
      "by another reservation, which no engine sees",
      { pool: reserved("cr-0fedcba9876543210") },
      "launchTemplate.capacityReservationSpecification",
    ],
    [
      "eks",
      "by leaving its reservation for nodes on demand",
      { pool: { capacity: { kind: "onDemand" }, placementGroup: "none" } },
      "launchTemplate.capacityReservationSpecification",
    ],
    [
      "eks",
      "by a placement group",
      { pool: { placementGroup: { name: "near" } } },
      "launchTemplate.placement",
    ],
    ["eks", "by another machine", { pool: { machineShape: "p5e.48xlarge" } }, "launchTemplate.instanceType"],
    [
      "eks",
      "through its network's block",
      { cluster: { network: { cidr: "10.8.0.0/16", zones: ["us-east-1a", "us-east-1b"] } } },
      "network.cidrBlock",
    ],
    ["eks", "through the order of its network's zones", { cluster: zonesTurned }, "network.subnets"],
    ["eks", "through its cluster's region", { cluster: { region: "us-east-2" } }, "provider.region"],
    ["eks", "through its cluster's name", { cluster: { name: "other" } }, "clusterName"],
    ["gke", "by another zone", { pool: { zones: ["us-central1-b"] } }, "nodeLocations"],
    ["gke", "by another reservation", { pool: reserved("other") }, "nodeConfig.reservationAffinity"],
    ["gke", "through its cluster's region", { cluster: { region: "us-east4" } }, "controlPlane.location"],
    [
      "gke",
      "through its cluster's project",
      { cluster: { project: "another-project" } },
      "controlPlane.project",
    ],
    [
      "aks",
      "through its cluster's pods",
      { cluster: { network: { pods: "10.200.0.0/16" } } },
      "cluster.networkProfile.podCidr",
    ],
    [
      "aks",
      "through its cluster's services",
      { cluster: { network: { services: "10.3.0.0/16" } } },
      "cluster.networkProfile.serviceCidr",
    ],
    ["aks", "through its cluster's location", { cluster: { location: "westus3" } }, "cluster.location"],
    [
      "aks",
      "through its cluster's name, by which its address begins",
      { cluster: { name: "other" } },
      "cluster.dnsPrefix",
    ],
    [
      "aks",
      "through the subscription",
      { cluster: { subscription: "00000000-0000-0000-0000-000000000009" } },
      "provider.subscriptionId",
    ],
  ])("%s: %s", (cloud, _how, sections, field) => {
    expect(effect(clouds[cloud](), clouds[cloud](sections)).replaced).toContain(field);
  });
});

test("eks: one capacity block follows another that is over, and may be longer than it was bought", () => {
  const block = (reservation: string, end: string) => ({
    pool: {
      nodes: { min: 0, max: 2 },
      capacity: { kind: "capacityBlock", reservation, start: "2026-12-01T11:30:00Z", end },
    },
  });
  const first = block("cr-0123456789abcdef0", "2026-12-08T11:30:00Z");
  const longer = block("cr-0123456789abcdef0", "2026-12-10T11:30:00Z");
  const next = block("cr-0fedcba9876543210", "2026-12-20T11:30:00Z");
  const [within, after] = ["2026-12-05T00:00:00Z", "2026-12-09T00:00:00Z"];
  expect(effect(eks(first, within), eks(next, within)).replaced).toEqual([
    "launchTemplate.capacityReservationSpecification",
  ]);
  expect(effect(eks(first, within), eks(next, after)).replaced).toEqual([]);
  expect(effect(eks(first, within), eks(longer, within)).replaced).toEqual([]);
});

test("gke: the nodes' range may grow, and not shrink nor move", () => {
  const fields = (nodeRange: string) =>
    effect(
      gke({ cluster: { network: { nodes: "10.0.0.0/20" } } }),
      gke({ cluster: { network: { nodes: nodeRange } } }),
    ).replaced;
  expect(fields("10.0.0.0/19")).toEqual([]);
  expect(fields("10.0.0.0/21")).toEqual(["subnetwork.ipCidrRange"]);
  expect(fields("10.1.0.0/20")).toEqual(["subnetwork.ipCidrRange"]);
});

describe("its nodes are made anew in the pool, counted, and nothing else", () => {
  test.each<readonly [keyof typeof clouds, string, Sections, string]>([
    [
      "eks",
      "by another disk",
      { pool: { rootVolumeGib: 200 } },
      "one at a time, the old one first: up to 3 nodes of h100",
    ],
    ["eks", "by raw disks", { pool: { localStorage: "none" } }, "launchTemplate.userData"],
    ["eks", "by another Kubernetes of the pool", { pool: { version: "1.35" } }, 'version not set -> "1.35"'],
    ["gke", "by another boot disk", { pool: { bootDiskGib: 500 } }, "up to 3 nodes of h100"],
    [
      "aks",
      "by another Kubernetes of the cluster",
      { cluster: { kubernetesVersion: "1.36" } },
      "one at a time, the old one first: up to 3 nodes of h100",
    ],
  ])("%s: %s", (cloud, _how, sections, said) => {
    const found = effect(clouds[cloud](), clouds[cloud](sections));
    expect(found.replaced).toEqual([]);
    expect(found.said).toContain(said);
  });
});

describe("its nodes are left alone", () => {
  test.each<readonly [keyof typeof clouds, string, Sections]>([
    ["eks", "by tags", { cluster: { tags: { team: "serving" } } }],
    ["eks", "by more nodes", { pool: { nodes: { min: 4, max: 4 } } }],
    ["eks", "by another Kubernetes of the cluster", { cluster: { version: "1.36" } }],
    [
      "eks",
      "by a zone more",
      { cluster: { network: { zones: ["us-east-1a", "us-east-1b", "us-east-1c"] } } },
    ],
    [
      "gke",
      "by a zone more",
      { pool: { zones: ["us-central1-a", "us-central1-b"], nodes: { min: 4, max: 4 } } },
    ],
    ["gke", "by another way to be upgraded", { pool: { upgrade: { strategy: "blueGreen" } } }],
    ["aks", "by tags", { cluster: { tags: { team: "serving" } } }],
    ["aks", "by more system nodes", { cluster: { systemPool: { nodes: { min: 3, max: 6 } } } }],
  ])("%s: %s", (cloud, _how, sections) => {
    expect(effect(clouds[cloud](), clouds[cloud](sections))).toEqual({ replaced: [], said: "" });
  });

  test.each(["eks", "gke", "aks"] as const)("%s: but for those that go when it shrinks", (cloud) => {
    const found = effect(clouds[cloud](), clouds[cloud]({ pool: { nodes: { min: 1, max: 1 } } }));
    expect(found).toEqual({ replaced: [], said: "a GPU pool shrinks: h100 from up to 3 nodes to 1" });
  });
});
