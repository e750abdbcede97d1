import { expect, test } from "vitest";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { agentPool } from "./agent-pool.ts";
import { types } from "./names.ts";

const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
const cluster: CloudRecord = {
  package: "azure-native",
  type: types.cluster,
  id,
  inputs: {
    location: "eastus",
    kubernetesVersion: "1.35",
    identity: { type: "UserAssigned", userAssignedIdentities: ["/i"] },
  },
  outputs: {},
  serial: 1,
};

function cloud(account: CloudAccount = {}): CloudView {
  const records = (type?: string) => [cluster].filter((record) => type === undefined || record.type === type);
  return {
    provider: { subscriptionId: "s" },
    account,
    records,
    find: (type, wanted) => records(type).find((record) => record.id === wanted),
    apiServer: { host: "127.0.0.1:1", certificateAuthority: "" },
  };
}

const inputs = {
  resourceGroupName: "g",
  resourceName: "c",
  agentPoolName: "h100",
  mode: "User",
  vmSize: "Standard_ND96isr_H100_v5",
  count: 2,
  gpuProfile: { driver: "Install" },
  nodeTaints: ["sku=gpu:NoSchedule"],
} as const satisfies PropertyMap;

const record = (changes: PropertyMap = {}): CloudRecord => ({
  package: "azure-native",
  type: types.agentPool,
  id: `${id}/agentPools/h100`,
  inputs: { ...inputs, ...changes },
  outputs: {},
  serial: 2,
});

const refusal = (changes: PropertyMap, account?: CloudAccount, before?: CloudRecord) =>
  agentPool.refusal?.({ ...inputs, ...changes }, cloud(account), before);

test("a pool that AKS takes is not refused", () => {
  expect(refusal({})).toBeUndefined();
});

test.each([
  [{ resourceName: "other" }, "ResourceNotFound"],
  [{ vmSize: "Standard_XX1" }, "BadRequest"],
  [{ osSKU: "AzureLinux" }, "BadRequest"],
  [{ count: 1001 }, "InvalidParameter"],
  [{ enableAutoScaling: true, minCount: 3, maxCount: 2 }, "InvalidParameter"],
  [{ spotMaxPrice: 1 }, "InvalidParameter"],
  [{ upgradeSettings: { maxSurge: "0" } }, "InvalidParameter"],
  [{ capacityReservationGroupID: "/x/h100" }, "OverconstrainedAllocationRequest"],
])("%j is refused with %s", (changes, code) => {
  expect(refusal(changes)).toContain(`Code="${code}"`);
});

test("vCPUs count against the quota of their family and region", () => {
  const account = { quotas: { "standardNDSH100v5Family@eastus": 96 } };
  expect(refusal({}, account)).toContain("requested 192, remaining 96 for family standardNDSH100v5Family");
  expect(refusal({ count: 1 }, account)).toBeUndefined();
});

test("a reservation is of a machine, a zone and a count", () => {
  const reserved = { capacityReservationGroupID: "/x/h100", availabilityZones: ["1"] };
  const held = { name: "h100", zone: "1", machineType: "Standard_ND96isr_H100_v5", count: 2 };
  expect(refusal(reserved, { reservations: [held] })).toBeUndefined();
  expect(refusal(reserved, { reservations: [{ ...held, zone: "2" }] })).toContain("does not hold 2");
});

test("what AKS cannot change it refuses to change, and the rest it takes", () => {
  expect(refusal({ osDiskType: "Managed" }, {}, record())).toContain(
    "Changing property 'properties.osDiskType' is not allowed.",
  );
  expect(refusal({ count: 3, nodeTaints: [] }, {}, record())).toBeUndefined();
});

test("nodes have AKS' labels and the pool's taints, and GPUs once the device plugin runs", () => {
  const group = agentPool.nodes?.(record({ availabilityZones: ["1"] }), cloud());
  expect(group).toMatchObject({
    count: 2,
    zones: ["eastus-1"],
    labels: {
      "kubernetes.azure.com/agentpool": "h100",
      "kubernetes.azure.com/accelerator": "nvidia",
      "kubernetes.azure.com/mode": "user",
      "node.kubernetes.io/instance-type": "Standard_ND96isr_H100_v5",
    },
    taints: [{ key: "sku", value: "gpu", effect: "NoSchedule" }],
    devices: [
      { resource: "nvidia.com/gpu", count: 8, needs: ["k8s-device-plugin"], conflicts: ["driver"] },
      { resource: "rdma/shared_ib" },
    ],
  });
  expect(group?.nodeName(1)).toMatch(/^aks-h100-\d{8}-vmss000001$/);
});

test("without AKS' driver the GPUs need the GPU Operator's", () => {
  const group = agentPool.nodes?.(record({ gpuProfile: { driver: "None" } }), cloud());
  expect(group?.devices[0]).toMatchObject({ needs: ["k8s-device-plugin", "driver"], conflicts: [] });
});
