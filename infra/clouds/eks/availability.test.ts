import { expect, test } from "vitest";
import { eksCluster } from "./config/cluster.ts";
import { eksPool } from "./config/pool.ts";
import { checkEksAccount } from "./availability.ts";
import type { ClusterFacts, EksReadings } from "./availability.ts";

const cluster = eksCluster.parse({
  kind: "eks",
  name: "llama",
  region: "us-east-1",
  version: "1.35",
  network: { zones: ["us-east-1a", "us-east-1b"] },
  endpoint: { access: "private" },
});

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
  region: async () => undefined,
  zones: async () => [
    { name: "us-east-1a", id: "use1-az1" },
    { name: "us-east-1b", id: "use1-az2" },
    { name: "us-east-1e", id: "use1-az3" },
  ],
  versions: async () => ["1.34", "1.35", "1.36", "1.37"],
  cluster: async () => undefined,
  caller: async () => "arn:aws:iam::123456789012:user/me",
  principal: async () => undefined,
  images: async () => ["ami-1"],
  zonesOf: async () => ["us-east-1a", "us-east-1b"],
  quota: async () => 384,
  reservation: async () => facts,
  block: async () => blockFacts,
};

const checked = async (pool: object, readings: Partial<EksReadings> = {}) =>
  checkEksAccount(cluster, [eksPool.parse({ ...h100, ...pool })], { ...everything, ...readings });

const failing = (message: string) => async () => Promise.reject(new Error(message));

/** What is wrong with a cluster, beside one that is there. */
const problemsOfCluster = async (
  changes: object,
  readings: Partial<EksReadings> = {},
  existing?: ClusterFacts,
) =>
  (
    await checkEksAccount(
      { ...cluster, ...changes },
      [eksPool.parse(h100)],
      { ...everything, ...readings },
      existing,
    )
  ).problems;

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
  const { problems } = await checkEksAccount(cluster, pools, everything);
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
    "the reservation cr-0123456789abcdef0 could not be read, and was not checked: not authorized",
    'the quota "Running On-Demand P instances" could not be read, and was not checked: not authorized',
  ]);
});

test("a group of reservations is not looked into, and that is said", async () => {
  const group = "arn:aws:resource-groups:us-east-1:123456789012:group/h100";
  const { warnings } = await checked({ capacity: { kind: "reserved", reservation: group } });
  expect(warnings).toEqual([
    "pools[0].capacity.reservation: what a resource group holds is not looked into: see that it is of 2 x p5.48xlarge in us-east-1a",
  ]);
});

test.each([
  [
    { capacity: reserved },
    "pools[0].capacity.reservation: write the id of one that this account has in us-east-1a",
  ],
  [
    { capacity: block, nodes: { min: 0, max: 2 } },
    "pools[0].capacity.reservation: write the id of a block that this account has bought",
  ],
])("capacity of %j that is not there ends the run", async (pool, message) => {
  const none = failing("api error InvalidCapacityReservationId.NotFound: it does not exist");
  const { problems, warnings } = await checked(pool, { reservation: none, block: none });
  expect(warnings).toEqual([]);
  expect(problems).toEqual([expect.stringContaining(message)]);
});

test("a region that AWS does not have is told, and nothing more is asked", async () => {
  const readings = {
    region: failing('region not found for name "us-eats-1"'),
    zones: failing("must not be asked"),
  };
  expect(await problemsOfCluster({ region: "us-eats-1" }, readings)).toEqual([
    expect.stringContaining("cluster.region: AWS has no region us-eats-1: write one that there is"),
  ]);
});

test("zones that there are not, or in which EKS makes no cluster, are told", async () => {
  expect(await problemsOfCluster({ network: { zones: ["us-east-1e", "us-east-1z"] } })).toEqual([
    "cluster.network.zones[0]: EKS has no control plane in us-east-1e, which is use1-az3, and takes no subnet of it for a cluster: write others, of us-east-1a, us-east-1b",
    "cluster.network.zones[1]: the account has no zone us-east-1z in us-east-1: write others, of us-east-1a, us-east-1b",
  ]);
});

test("a version that EKS does not sell is told with those that it does", async () => {
  const versions = async () => ["1.36", "1.37"];
  expect(await problemsOfCluster({}, { versions })).toEqual([
    'cluster.version: EKS sells no 1.35: write one of "1.36", "1.37"',
  ]);
  const running = { version: "1.35", tags: {} };
  expect(await problemsOfCluster({}, { versions }, running)).toEqual([]);
});

test("a cluster that is there goes up one minor at a time, and never down", async () => {
  const running = { version: "1.35", tags: {} };
  expect(await problemsOfCluster({ version: "1.36" }, {}, running)).toEqual([]);
  expect(await problemsOfCluster({ version: "1.37" }, {}, running)).toEqual([
    'cluster.version: the cluster runs 1.35, and EKS goes up by one minor at a time: write "1.36" first',
  ]);
  expect(await problemsOfCluster({ version: "1.35" }, {}, { ...running, version: "1.36" })).toEqual([
    'cluster.version: the cluster runs 1.36, and EKS does not go back: write "1.36"',
  ]);
});

test("a release of the image that there is not is told", async () => {
  const release = { amiReleaseVersion: "1.35.2-20261101" };
  expect((await checked(release, { images: async () => [] })).problems).toEqual([
    "pools[0].amiReleaseVersion: AWS has no image amazon-eks-node-al2023-x86_64-nvidia-*1.35-v20261101: write a release of github.com/awslabs/amazon-eks-ami, or leave it out for EKS' newest",
  ]);
});

test("an administrator whom the account does not have is told; those of other accounts are not looked up", async () => {
  const administrators = [
    "arn:aws:iam::123456789012:role/teams/platform",
    "arn:aws:iam::123456789012:role/platfrom",
    "arn:aws:iam::210987654321:role/platfrom",
  ];
  const principal: EksReadings["principal"] = async (_, name) =>
    name === "platform" ? undefined : Promise.reject(new Error("reading IAM Role: couldn't find resource"));
  expect(await problemsOfCluster({ administrators }, { principal })).toEqual([
    "cluster.administrators[1]: write a role or user that the account has (the role platfrom is not there: reading IAM Role: couldn't find resource)",
  ]);
});
