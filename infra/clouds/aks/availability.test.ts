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

const failing = (message: string) => async () => Promise.reject(new Error(message));

function checked(pool: object, readings: Partial<AksReadings> = {}, changes: object = {}) {
  const capacity = { kind: "reserved", reservation, zone: "1" };
  const read = aksPool.parse({
    name: "h100",
    machineShape: machine,
    nodes: { min: 2, max: 2 },
    capacity,
    ...pool,
  });
  return checkAksAccount({ ...cluster, ...changes }, [read], {
    reservationGroup: async () => held,
    featureState: async () => "Registered",
    identity: async () => undefined,
    cluster: async () => undefined,
    versions: async () => ["1.35", "1.35.6", "1.36", "1.36.3", "1.37", "1.37.1"],
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
    warnings: [
      `the capacity reservation group ${reservation} could not be read, and was not checked: AuthorizationFailed`,
    ],
  });
});

test("a reservation, an identity or a feature that is not there is a problem", async () => {
  const none = failing('Status=404 Code="ResourceNotFound" Message="it was not found"');
  const identity = "/subscriptions/s/…/own";
  const { problems, warnings } = await checked(
    { infiniband: true, driver: "gpuOperator" },
    { reservationGroup: none, identity: none, featureState: none },
    { identity },
  );
  expect(warnings).toEqual([]);
  expect(problems).toEqual([
    expect.stringContaining("cluster.identity: write the id of one that is there"),
    expect.stringContaining("pools[0].capacity.reservation: write the id of one that is there"),
    expect.stringContaining("az feature register --namespace Microsoft.ContainerService"),
  ]);
});

const running = { version: "1.35.4", systemPool: { machine: "Standard_D4ds_v5", zones: ["1"] } };
const beside = async (changes: object, existing = running) =>
  (await checked({}, { cluster: async () => existing }, changes)).problems;

test("the system pool of a cluster that is there keeps machine and zones, and the way to others is said", async () => {
  const systemPool = { ...cluster.systemPool, machine: "Standard_D8ds_v5" };
  const another =
    "Or add a second system pool beside it, `az aks nodepool add --mode System --name system2 --node-vm-size Standard_D8ds_v5 --resource-group llama --cluster-name llama`, and scale this one down";
  expect(await beside({})).toEqual([]);
  expect(await beside({ systemPool })).toEqual([
    `cluster.systemPool.machine: AKS keeps the machine of a pool: write Standard_D4ds_v5 again. ${another}`,
  ]);
  expect(await beside({ systemPool: { ...cluster.systemPool, zones: ["2"] } })).toEqual([
    expect.stringContaining("cluster.systemPool.zones: AKS keeps the zones of a pool: write [1] again."),
  ]);
});

test("a version that AKS sells no more is told with those that it does, unless the cluster has it", async () => {
  const sold = { versions: async () => ["1.36", "1.36.3", "1.37", "1.37.1"] };
  const message = 'cluster.kubernetesVersion: AKS sells no 1.35 in eastus: write one of "1.36", "1.37"';
  expect((await checked({}, sold)).problems).toEqual([message]);
  expect((await checked({}, { ...sold, cluster: async () => running })).problems).toEqual([]);
  expect((await checked({}, {}, { kubernetesVersion: "1.35.6" })).problems).toEqual([]);
  expect((await checked({}, {}, { kubernetesVersion: "1.35.5" })).problems).toHaveLength(1);
});

test("a location that Azure does not have is a problem", async () => {
  const versions = failing(
    'Status=400 {"error":{"code":"NoRegisteredProviderFound","message":"No registered resource provider found for location"}}',
  );
  expect((await checked({}, { versions })).problems).toEqual([
    expect.stringContaining("cluster.location: write a region of Azure that has AKS, such as eastus"),
  ]);
});

test("a cluster that is there goes up one minor at a time, and never down", async () => {
  expect(await beside({ kubernetesVersion: "1.36" })).toEqual([]);
  expect(await beside({ kubernetesVersion: "1.37" })).toEqual([
    'cluster.kubernetesVersion: the cluster runs 1.35.4, and AKS goes up by one minor at a time: write "1.36" first',
  ]);
  expect(await beside({}, { ...running, version: "1.36.1" })).toEqual([
    'cluster.kubernetesVersion: the cluster runs 1.36.1, and AKS does not go back: write "1.36"',
  ]);
});
