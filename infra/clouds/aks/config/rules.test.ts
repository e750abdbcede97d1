import { expect, test } from "vitest";
import { parseConfiguration } from "../../../config/configuration.ts";

const identity =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/llama";
const group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/h100";
const cluster = {
  kind: "aks",
  subscription: "00000000-0000-0000-0000-000000000000",
  location: "eastus",
  resourceGroup: "llama",
  name: "llama",
  kubernetesVersion: "1.35",
  administrators: ["00000000-0000-0000-0000-000000000001"],
};
const pool = {
  name: "h100",
  machineShape: "Standard_ND96isr_H100_v5",
  nodes: { min: 2, max: 2 },
};
const reserved = { capacity: { kind: "reserved", reservation: group, zone: "1" } };

function parsed(clusterChanges: object, ...pools: readonly object[]) {
  return parseConfiguration({
    cluster: { ...cluster, ...clusterChanges },
    pools: pools.map((changes) => ({ ...pool, ...changes })),
    operator: { image: "registry.example.com/o:1" },
  });
}

/** What is wrong, a line each. */
function mistakes(clusterChanges: object, ...pools: readonly object[]): readonly string[] {
  const result = parsed(clusterChanges, ...pools);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

function poolSpec(changes: object) {
  const result = parsed({ identity }, changes);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.configuration.pools[0]?.written;
}

test("a pool's GpuPool has the labels and taints that its nodes will have", () => {
  expect(poolSpec({})).toEqual({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "Standard_ND96isr_H100_v5",
    nodeSelector: { "kubernetes.azure.com/agentpool": "h100" },
    tolerations: [{ key: "sku", value: "gpu", effect: "NoSchedule", operator: "Equal" }],
  });
});

test("the taint that AKS adds to spot nodes is tolerated, and the autoscaler's limit is known", () => {
  expect(poolSpec({ capacity: { kind: "spot" }, nodes: { min: 0, max: 4 } })).toMatchObject({
    tolerations: [{ key: "sku" }, { key: "kubernetes.azure.com/scalesetpriority", value: "spot" }],
    nodes: { max: 4 },
    capacity: "spot",
  });
});

test("a managed disk's size is what pods can use of it, and InfiniBand is asked for by its resource", () => {
  const spec = poolSpec({
    driver: "gpuOperator",
    infiniband: true,
    osDisk: { kind: "managed", sizeGib: 1024 },
  });
  expect(spec).toMatchObject({
    allocatable: { ephemeralStorage: "921Gi" },
    fabric: { type: "infiniband", resources: { "rdma/shared_ib": "1" } },
  });
});

test("what one field says against another is named, with what to write instead", () => {
  expect(
    mistakes(
      { network: { nodes: "10.1.0.0/20", pods: "10.0.0.0/14" } },
      { infiniband: true, zones: ["1", "2"] },
      { name: "nc", machineShape: "Standard_NC80adis_H100_v5", driver: "gpuOperator", infiniband: true },
      { name: "system" },
      { name: "amd", machineShape: "Standard_ND96isr_MI300X_v5", driver: "gpuOperator" },
      { name: "spot", driver: "gpuOperator", capacity: { kind: "spot" } },
      { name: "bought", driver: "gpuOperator", ...reserved, zones: ["2"] },
    ),
  ).toMatchInlineSnapshot(`
    [
      "cluster.network.nodes: 10.1.0.0/20 is not in the virtual network: write a part of 10.240.0.0/16",
      "cluster.network.services: 10.0.0.0/16 overlaps pods 10.0.0.0/14: write a range apart from it",
      "pools[0].driver: InfiniBand between GPUs needs nvidia-peermem, which AKS does not load by default: write gpuOperator",
      "pools[0].zones: one InfiniBand fabric lies in one zone: write one, and another pool for the other",
      "pools[1].infiniband: Standard_NC80adis_H100_v5 has no InfiniBand: write false, or a machine of the ND series such as Standard_ND96isr_H100_v5",
      "pools[2].name: system is the pool that the cluster is made with: write another",
      "pools[3].machineShape: Standard_ND96isr_MI300X_v5 has amd-mi300x, and this stack installs NVIDIA's driver and device plugin: make that pool yourself, and use cluster.kind kubeconfig",
      "pools[4].nodes.max: evicted spot nodes come back only through the autoscaler: write more than nodes.min 2",
      "pools[5].zones: the pool lies where its reservation does: leave zones out, or write ["1"]",
      "cluster.identity: reserved pools need an identity of yours: make a user-assigned one, give it the role Contributor on the resource group of the reservation (up to an hour until that holds), and write its id",
      "pools[2].driver: pools[1] takes its driver from the GPU Operator, which would put a second one here: write gpuOperator in both, or install in both",
    ]
  `);
});

test("a subnet and an overlay have to have room for every node that there may be", () => {
  expect(mistakes({ network: { nodes: "10.240.0.0/29", pods: "10.244.0.0/22" } }, {})).toEqual([
    "cluster.network.nodes: 10.240.0.0/29 has room for 3 nodes, and the stack may have 6: write a /28 or larger, or smaller nodes.max",
    "cluster.network.pods: 10.244.0.0/22 has room for 4 nodes, and the stack may have 6: write a /21 or larger, or smaller nodes.max",
  ]);
});

test("what AKS does not have is named with what it has", () => {
  expect(
    mistakes(
      { administrators: [], api: { access: "vpn" }, kubernetesVersion: 1.35 },
      { name: "H100-pool" },
      { name: "b", machineShape: "a3-highgpu-8g" },
      { name: "c", capacity: { kind: "flexStart" } },
      { name: "d", capacity: { kind: "reserved", reservation: "h100" } },
      { name: "e", driver: "none" },
      { name: "f", gpuInstanceProfile: "MIG1g" },
    ),
  ).toMatchInlineSnapshot(`
    [
      "cluster.kubernetesVersion: must be a version in quotes, such as "1.35"",
      "cluster.administrators: name at least one group: local accounts are off, so nobody else can log in",
      "cluster.api.access: must be "public", with authorizedRanges, or "private", which only the network of the cluster reaches",
      "pools[0].name: AKS takes 1 to 12 lower-case letters and digits, a letter first",
      "pools[1].machineShape: the catalog has no AKS machine a3-highgpu-8g; it has Standard_ND96asr_v4, Standard_ND96amsr_A100_v4, Standard_ND96isr_H100_v5, Standard_NC40ads_H100_v5, Standard_NC80adis_H100_v5, Standard_ND96isr_H200_v5, Standard_ND96isr_MI300X_v5",
      "pools[2].capacity.kind: AKS has "onDemand", "spot" and "reserved" (a capacity reservation group); flexStart and queued are GKE's, capacityBlock is EKS's",
      "pools[3].capacity.reservation: should be the id of a capacity reservation group: /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/capacityReservationGroups/…",
      "pools[4].driver: must be "install" (AKS's own, with the device plugin) or "gpuOperator" (NVIDIA's operator brings it)",
      "pools[5].gpuInstanceProfile: unknown field "pools[5].gpuInstanceProfile"",
    ]
  `);
});

test("nodes are at most two minors behind the cluster, and never ahead", () => {
  expect(mistakes({}, { kubernetesVersion: "1.33" })).toEqual([]);
  expect(mistakes({}, { kubernetesVersion: "1.36" }, { name: "b", kubernetesVersion: "1.32.2" })).toEqual([
    "pools[0].kubernetesVersion: nodes are as new as the cluster, or up to two minors older: write 1.33 to 1.35",
    "pools[1].kubernetesVersion: nodes are as new as the cluster, or up to two minors older: write 1.33 to 1.35",
  ]);
});

test("a control plane that the operator refuses is not made", () => {
  expect(mistakes({ kubernetesVersion: "1.34" })).toEqual([
    'cluster.kubernetesVersion: the operator needs Kubernetes 1.35: write "1.35" or later',
  ]);
});

test("a reserved pool with an identity lies where its reservation does", () => {
  expect(mistakes({ identity }, reserved, { ...reserved, name: "other", zones: ["1"] })).toEqual([]);
});
