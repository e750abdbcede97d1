import { expect, test } from "vitest";
import { aksCluster } from "./config/cluster.ts";
import { aksPool } from "./config/pool.ts";
import { checkAksAccount } from "./availability.ts";
import type { AksReadings, ReservationGroupFacts } from "./availability.ts";

const machine = "Standard_ND96isr_H100_v5";
const reservation =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/h100";
const held: ReservationGroupFacts = {
  location: "eastus",
  zones: ["1"],
  reservations: [{ machine, count: 2, zones: ["1"] }],
};
const cluster = aksCluster.parse({
  kind: "aks",
  subscription: "00000000-0000-0000-0000-000000000000",
  location: "eastus",
  resourceGroup: "llama",
  name: "llama",
  kubernetesVersion: "1.35",
  administrators: ["00000000-0000-0000-0000-000000000001"],
});

function checked(pool: object, readings: Partial<AksReadings> = {}) {
  const capacity = { kind: "reserved", reservation, zone: "1" };
  const read = aksPool.parse({
    name: "h100",
    machineShape: machine,
    nodes: { min: 2, max: 2 },
    capacity,
    ...pool,
  });
  return checkAksAccount(cluster, [read], {
    reservationGroup: async () => held,
    featureState: async () => "Registered",
    ...readings,
  });
}

test("what the reservation holds is enough", async () => {
  expect(await checked({})).toEqual({ problems: [], warnings: [] });
});

test.each([
  [{}, { location: "westus" }, "it is in westus, and the cluster in eastus"],
  [{}, { zones: ["2", "3"] }, "the reservation has zones 2, 3: write one of them"],
  [{}, { zones: [] }, "of no zone: leave zone out"],
  [
    { nodes: { min: 2, max: 3 } },
    {},
    "holds 2 x Standard_ND96isr_H100_v5, and the pool may have 3: write nodes.max 2",
  ],
  [
    {},
    { reservations: [{ machine: "Standard_ND96isr_H200_v5", count: 4, zones: ["1"] }] },
    "holds no Standard_ND96isr_H100_v5 in zone 1, but 4 x Standard_ND96isr_H200_v5",
  ],
])("%j against a reservation with %j is refused: %s", async (pool, change, message) => {
  const { problems } = await checked(pool, { reservationGroup: async () => ({ ...held, ...change }) });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`pools[0].capacity`);
  expect(problems[0]).toContain(message);
});

test("InfiniBand without its feature is refused with the command that registers it", async () => {
  const infiniband = { infiniband: true, driver: "gpuOperator", capacity: { kind: "onDemand" } };
  const { problems } = await checked(infiniband, { featureState: async () => "NotRegistered" });
  expect(problems).toEqual([
    expect.stringContaining(
      "az feature register --namespace Microsoft.ContainerService --name AKSInfinibandSupport",
    ),
  ]);
});

test("what cannot be read is a warning", async () => {
  const refused = async () => Promise.reject(new Error("AuthorizationFailed"));
  expect(await checked({}, { reservationGroup: refused })).toEqual({
    problems: [],
    warnings: [`the capacity reservation group ${reservation} could not be read: AuthorizationFailed`],
  });
});
