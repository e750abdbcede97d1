import { expect, test } from "vitest";
import { Properties } from "./properties.ts";
import type { GpuNodePool, Related } from "./gpu-node-pool.ts";
import { gpuNodePool } from "./pools.ts";

const gke = "gcp:container/nodePool:NodePool";
const eks = "aws:eks/nodeGroup:NodeGroup";
const aks = "azure-native:containerservice:AgentPool";

const read = (type: string, properties: unknown, related?: readonly Related[]) =>
  gpuNodePool({
    type,
    properties: new Properties(properties),
    ...(related === undefined ? {} : { related }),
  });

function pool(
  type: string,
  properties: unknown,
  related?: readonly Related[],
): Omit<GpuNodePool, "argumentNames"> {
  const found = read(type, properties, related);
  if (found === undefined || found === "later") throw new Error(`no pool: ${found}`);
  const { argumentNames: _, ...facts } = found;
  return facts;
}

const gkePool = {
  location: "us-central1",
  nodeLocations: ["us-central1-a"],
  nodeCount: 2,
  nodeConfig: {
    machineType: "a3-megagpu-8g",
    taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" }],
    reservationAffinity: { consumeReservationType: "SPECIFIC_RESERVATION" },
  },
  management: { autoRepair: true },
  upgradeSettings: { maxSurge: 0, maxUnavailable: 1 },
  networkConfig: { enablePrivateNodes: true },
};

test("a pool of GKE says all that the policies ask for", () => {
  expect(pool(gke, gkePool)).toEqual({
    gpusPerNode: 8,
    nodesAtMost: 2,
    hasFabric: true,
    tainted: true,
    capacity: "bought",
    oneZone: true,
    repaired: true,
    surges: false,
    privateNodes: true,
  });
});

test("a pool of GKE that says little is what GKE would make of it", () => {
  expect(
    pool(gke, { location: "us-central1", nodeCount: 2, nodeConfig: { machineType: "a3-highgpu-8g" } }),
  ).toEqual({
    gpusPerNode: 8,
    nodesAtMost: 6,
    hasFabric: true,
    tainted: false,
    capacity: "onDemand",
    oneZone: false,
    repaired: false,
    surges: true,
    privateNodes: false,
  });
});

test.each([
  ["in each zone", { autoscaling: { maxNodeCount: 3 }, nodeLocations: ["a", "b"] }, 6],
  ["in all zones", { autoscaling: { totalMaxNodeCount: 3 }, nodeLocations: ["a", "b"] }, 3],
  ["as many as it begins with", { initialNodeCount: 4, location: "us-central1-a" }, 4],
  ["not said", { location: "us-central1-a" }, undefined],
])("the nodes at most of a pool of GKE: %s", (_, size, nodes) => {
  const found = pool(gke, { ...size, nodeConfig: { guestAccelerators: [{ type: "nvidia-l4", count: 1 }] } });
  expect(found).toMatchObject({ gpusPerNode: 1, nodesAtMost: nodes });
});

test("flex-start nodes cannot be repaired, and so need not", () => {
  const nodeConfig = { machineType: "a3-highgpu-8g", flexStart: true };
  expect(pool(gke, { nodeConfig, management: { autoRepair: false } })).toMatchObject({
    capacity: "flexStart",
    repaired: true,
  });
});

test("a pool of GKE without private nodes of its own has those of its cluster", () => {
  const cluster = (enablePrivateNodes: boolean): Related => ({
    type: "gcp:container/cluster:Cluster",
    properties: new Properties({ privateClusterConfig: { enablePrivateNodes } }),
  });
  const { networkConfig: _, ...silent } = gkePool;
  expect(pool(gke, silent, [cluster(true)]).privateNodes).toBe(true);
  expect(pool(gke, silent, [cluster(false)]).privateNodes).toBe(false);
});

const nodeGroup = {
  amiType: "AL2023_x86_64_NVIDIA",
  subnetIds: ["subnet-1"],
  scalingConfig: { minSize: 0, desiredSize: 2, maxSize: 4 },
  taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" }],
  nodeRepairConfig: { enabled: true },
  updateConfig: { updateStrategy: "MINIMAL", maxUnavailable: 1 },
};

test("a node group of EKS without a template speaks for itself", () => {
  expect(pool(eks, { ...nodeGroup, instanceTypes: ["p5.48xlarge"], capacityType: "SPOT" })).toEqual({
    gpusPerNode: 8,
    nodesAtMost: 4,
    hasFabric: true,
    tainted: true,
    capacity: "spot",
    oneZone: true,
    repaired: true,
    surges: false,
    privateNodes: undefined,
  });
});

test("a node group of EKS with a template is judged once that is known", () => {
  const group = { ...nodeGroup, launchTemplate: { version: "1" } };
  const subnet: Related = { type: "aws:ec2/subnet:Subnet", properties: new Properties({}) };
  const template: Related = {
    type: "aws:ec2/launchTemplate:LaunchTemplate",
    properties: new Properties({
      instanceType: "p5.48xlarge",
      capacityReservationSpecification: { capacityReservationTarget: { capacityReservationId: "cr-1" } },
      networkInterfaces: [{ associatePublicIpAddress: "false" }],
    }),
  };
  expect(read(eks, group)).toBe("later");
  expect(pool(eks, group, [template, subnet])).toMatchObject({
    gpusPerNode: 8,
    capacity: "bought",
    privateNodes: true,
  });
  const open: Related = { type: subnet.type, properties: new Properties({ mapPublicIpOnLaunch: true }) };
  expect(pool(eks, group, [template, open]).privateNodes).toBe(false);
});

test.each(["azure-native:containerservice:AgentPool", "azure-native:containerservice/v20250901:AgentPool"])(
  "a pool of AKS is read as %s",
  (type) => {
    const found = pool(type, {
      vmSize: "Standard_ND96isr_H100_v5",
      enableAutoScaling: true,
      count: 1,
      maxCount: 3,
      nodeTaints: ["sku=gpu:NoSchedule"],
      capacityReservationGroupID: "/subscriptions/…/g",
      upgradeSettings: { maxSurge: "0", maxUnavailable: "1" },
      availabilityZones: ["1"],
    });
    expect(found).toEqual({
      gpusPerNode: 8,
      nodesAtMost: 3,
      hasFabric: true,
      tainted: true,
      capacity: "bought",
      oneZone: true,
      repaired: true,
      surges: false,
      privateNodes: true,
    });
  },
);

test("a pool without GPUs, and any other resource, is none", () => {
  expect(read(gke, { nodeConfig: { machineType: "e2-standard-4" } })).toBeUndefined();
  expect(read(eks, { instanceTypes: ["m7i.large"], amiType: "AL2023_x86_64_STANDARD" })).toBeUndefined();
  expect(read(aks, { vmSize: "Standard_D4s_v5" })).toBeUndefined();
  expect(read("gcp:storage/bucket:Bucket", {})).toBeUndefined();
});

test("a machine that the catalog lacks is one with GPUs whose number is not known", () => {
  expect(pool(aks, { vmSize: "Standard_NC6s_v3", count: 1 })).toMatchObject({
    gpusPerNode: undefined,
    hasFabric: false,
  });
});
