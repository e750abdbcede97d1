import { expect, test } from "vitest";
import { eksPool } from "./config/pool.ts";
import { checkEksAccount } from "./availability.ts";
import type { EksReadings } from "./availability.ts";

const h100 = {
  name: "h100",
  machineShape: "p5.48xlarge",
  zones: ["us-east-1a"],
  nodes: { min: 2, max: 2 },
  capacity: { kind: "onDemand" },
};
const reserved = { kind: "reserved", reservation: "cr-0123456789abcdef0" };
const block = {
  kind: "capacityBlock",
  reservation: "cr-0123456789abcdef1",
  start: "2026-12-01T11:30:00Z",
  end: "2026-12-08T11:30:00Z",
};
const facts = { machineType: "p5.48xlarge", zone: "us-east-1a", count: 2 };
const blockFacts = {
  ...facts,
  state: "scheduled",
  start: "2026-12-01T11:30:00.000Z",
  end: "2026-12-08T11:30:00Z",
};

const everything: EksReadings = {
  zonesOf: async () => ["us-east-1a", "us-east-1b"],
  quota: async () => 384,
  reservation: async () => facts,
  block: async () => blockFacts,
};

const checked = async (pool: object, readings: Partial<EksReadings> = {}) =>
  checkEksAccount([eksPool.parse({ ...h100, ...pool })], { ...everything, ...readings });

test.each([{}, { capacity: reserved }, { capacity: block, nodes: { min: 0, max: 2 } }])(
  "an account that has what a pool with %j needs is let pass",
  async (pool) => {
    expect(await checked(pool)).toEqual({ problems: [], warnings: [] });
  },
);

test("a machine that is not sold in the zone is named with the zones that sell it", async () => {
  const { problems } = await checked({}, { zonesOf: async () => ["us-east-1d", "us-east-1c"] });
  expect(problems).toEqual([
    "pools[0].zones: AWS sells p5.48xlarge in us-east-1c, us-east-1d, not in us-east-1a: write such a zone",
  ]);
});

test("vCPUs of all pools are counted against the quota that they share", async () => {
  const pools = [eksPool.parse(h100), eksPool.parse({ ...h100, name: "more", capacity: reserved })];
  const { problems } = await checkEksAccount(pools, everything);
  expect(problems).toEqual([
    'pools: h100, more need 768 vCPUs of EC2\'s quota "Running On-Demand P instances", which is 384: ask for more under Service Quotas, or write fewer nodes',
  ]);
});

test("a capacity block counts against no quota", async () => {
  const asked: string[] = [];
  const quota = async (name: string) => asked.push(name);
  await checked({ capacity: block, nodes: { min: 0, max: 2 } }, { quota });
  await checked({ capacity: { kind: "spot" } }, { quota });
  expect(asked).toEqual(["All P5 Spot Instance Requests"]);
});

test.each([{ machineType: "p5.4xlarge" }, { zone: "us-east-1b" }, { count: 1 }])(
  "a reservation with %j is told beside what the pool needs",
  async (change) => {
    const held = { ...facts, ...change };
    const { problems } = await checked({ capacity: reserved }, { reservation: async () => held });
    expect(problems).toEqual([
      `pools[0].capacity.reservation: it holds ${held.count} x ${held.machineType} in ${held.zone}, and the pool needs 2 x p5.48xlarge in us-east-1a: make the two agree`,
    ]);
  },
);

test("a reservation and its pool must be of the same placement group", async () => {
  const inGroup = async () => ({ ...facts, placementGroup: "near" });
  expect((await checked({ capacity: reserved }, { reservation: inGroup })).problems).toEqual([
    "pools[0].placementGroup: the reservation was made in near: write { name: near }",
  ]);
  const named = { capacity: reserved, placementGroup: { name: "near" } };
  expect((await checked(named, { reservation: inGroup })).problems).toEqual([]);
  expect((await checked(named)).problems).toEqual([
    "pools[0].placementGroup: the reservation was made in none: leave it out",
  ]);
});

test("a block that is over, or begins at another time, is told", async () => {
  const other = { ...blockFacts, state: "expired", start: "2026-12-02T11:30:00Z" };
  const pool = { capacity: block, nodes: { min: 0, max: 2 } };
  expect((await checked(pool, { block: async () => other })).problems).toEqual([
    "pools[0].capacity.reservation: the block is expired: buy another, and write its id",
    "pools[0].capacity.start: the block's start is 2026-12-02T11:30:00Z: write that",
  ]);
});

test("what cannot be read is a warning, and hides nothing else", async () => {
  const refused = async () => Promise.reject(new Error("not authorized"));
  const found = await checked({ capacity: reserved }, { quota: refused, reservation: refused });
  expect(found.problems).toEqual([]);
  expect(found.warnings).toEqual([
    "the reservation cr-0123456789abcdef0 could not be read: not authorized",
    'the quota "Running On-Demand P instances" could not be read: not authorized',
  ]);
});

test("a group of reservations is not looked into, and that is said", async () => {
  const group = "arn:aws:resource-groups:us-east-1:123456789012:group/h100";
  const { warnings } = await checked({ capacity: { kind: "reserved", reservation: group } });
  expect(warnings).toEqual([
    "pools[0].capacity.reservation: what a resource group holds is not looked into: see that it is of 2 x p5.48xlarge in us-east-1a",
  ]);
});
