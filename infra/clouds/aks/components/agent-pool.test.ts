import { expect, test } from "vitest";
import { parseConfiguration } from "../../../config/configuration.ts";
import { agentPoolFacts } from "./agent-pool.ts";

const group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/h100";

function factsOf(pool: object) {
  const parsed = parseConfiguration({
    cluster: {
      kind: "aks",
      subscription: "00000000-0000-0000-0000-000000000000",
      location: "eastus",
      resourceGroup: "llama",
      name: "llama",
      kubernetesVersion: "1.35",
      administrators: ["00000000-0000-0000-0000-000000000001"],
      identity:
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/llama",
    },
    pools: [{ name: "h100", machineShape: "Standard_ND96isr_H100_v5", nodes: { min: 2, max: 2 }, ...pool }],
    operator: { image: "registry.example.com/o:1" },
  });
  if (!parsed.ok || parsed.configuration.platform.kind !== "aks") throw new Error(JSON.stringify(parsed));
  const { cluster, pools } = parsed.configuration.platform;
  const [first] = pools;
  if (first === undefined) throw new Error("no pool");
  return agentPoolFacts(first, cluster);
}

test("a pool has a fixed name, Ubuntu, the GPU guide's taint and no surge", () => {
  expect(factsOf({})).toEqual({
    resourceGroupName: "llama",
    resourceName: "llama",
    agentPoolName: "h100",
    mode: "User",
    type: "VirtualMachineScaleSets",
    vmSize: "Standard_ND96isr_H100_v5",
    osType: "Linux",
    osSKU: "Ubuntu",
    osDiskType: "Ephemeral",
    orchestratorVersion: "1.35",
    count: 2,
    enableAutoScaling: false,
    gpuProfile: { driver: "Install" },
    nodeTaints: ["sku=gpu:NoSchedule"],
    scaleSetPriority: "Regular",
    upgradeSettings: { maxSurge: "0", maxUnavailable: "1" },
    tags: {},
  });
});

test("a reserved pool is in its reservation and its reservation's zone", () => {
  const facts = factsOf({ capacity: { kind: "reserved", reservation: group, zone: "2" } });
  expect(facts).toMatchObject({ capacityReservationGroupID: group, availabilityZones: ["2"] });
});

test("a spot pool carries what AKS would add, and nothing of upgrades", () => {
  const facts = factsOf({ capacity: { kind: "spot" }, nodes: { min: 0, max: 3 } });
  expect(facts).toMatchObject({
    scaleSetPriority: "Spot",
    spotMaxPrice: -1,
    nodeTaints: ["sku=gpu:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"],
    nodeLabels: { "kubernetes.azure.com/scalesetpriority": "spot" },
    enableAutoScaling: true,
    count: 0,
    minCount: 0,
    maxCount: 3,
  });
  expect(facts).not.toHaveProperty("upgradeSettings");
});

test("the GPU Operator brings the driver where AKS installs none", () => {
  expect(factsOf({ driver: "gpuOperator" })).toMatchObject({ gpuProfile: { driver: "None" } });
});
