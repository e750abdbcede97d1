import { expect, test } from "vitest";
import { gkeCluster } from "../config/cluster.ts";
import { clusterArgs } from "./cluster-args.ts";
import { driverInstaller } from "./driver-installer.ts";
import { nodeAccountId } from "./node-identity.ts";
import { systemPoolArgs } from "./system-pool.ts";

const cluster = (changes: object = {}) =>
  gkeCluster.parse({
    kind: "gke",
    project: "my-project",
    region: "us-central1",
    name: "llama",
    authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
    ...changes,
  });
const place = {
  networkId: "network",
  subnetworkId: "subnetwork",
  multiNetwork: false,
  serviceAccount: "a@b",
};

test("a cluster has private nodes, is open to whom the configuration names, and keeps no pool of its own", () => {
  expect(clusterArgs(cluster(), place)).toMatchObject({
    location: "us-central1",
    privateClusterConfig: { enablePrivateNodes: true },
    masterAuthorizedNetworksConfig: {
      cidrBlocks: [{ displayName: "office", cidrBlock: "203.0.113.0/24" }],
    },
    workloadIdentityConfig: { workloadPool: "my-project.svc.id.goog" },
    datapathProvider: "ADVANCED_DATAPATH",
    enableMultiNetworking: false,
    removeDefaultNodePool: true,
    nodeConfig: { serviceAccount: "a@b", shieldedInstanceConfig: { enableSecureBoot: true } },
    deletionProtection: true,
  });
});

test("version, maintenance and several networks are asked for only where they are wanted", () => {
  const plain = clusterArgs(cluster(), place);
  expect(plain).not.toHaveProperty("minMasterVersion");
  expect(plain).not.toHaveProperty("maintenancePolicy");
  const maintenance = { start: "2026-12-05T02:00:00Z", end: "2026-12-05T08:00:00Z" };
  const version = "1.35";
  expect(clusterArgs(cluster({ version, maintenance }), { ...place, multiNetwork: true })).toMatchObject({
    minMasterVersion: version,
    enableMultiNetworking: true,
    maintenancePolicy: {
      recurringWindow: {
        startTime: "2026-12-05T02:00:00Z",
        endTime: "2026-12-05T08:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
      },
    },
  });
});

test("the system pool is in its own zones, and grows in all of them together", () => {
  const zones = ["us-central1-b", "us-central1-c"];
  const args = { cluster: cluster({ systemPool: { zones } }), clusterId: "c", serviceAccount: "a" };
  expect(systemPoolArgs("system", args)).toMatchObject({
    nodeLocations: zones,
    autoscaling: { totalMinNodeCount: 1, totalMaxNodeCount: 3 },
    nodeConfig: { machineType: "e2-standard-8" },
  });
  expect(systemPoolArgs("system", { ...args, cluster: cluster() })).not.toHaveProperty("nodeLocations");
});

test.each([
  ["llama", "llama-nodes"],
  ["a-cluster-whose-name-is-quite-long", "a-cluster-whose-name-is-nodes"],
])("the nodes of %s are %s", (name, id) => {
  expect(nodeAccountId(name)).toBe(id);
  expect(id.length).toBeLessThanOrEqual(30);
});

test("Google's installer brings the driver to the nodes that keep GKE's away, and to no others", () => {
  const { spec } = driverInstaller();
  expect(spec).toMatchObject({
    template: {
      spec: {
        nodeSelector: { "gke-no-default-nvidia-gpu-device-plugin": "true" },
        initContainers: [{ image: "cos-nvidia-installer:fixed", imagePullPolicy: "Never" }],
      },
    },
  });
});
