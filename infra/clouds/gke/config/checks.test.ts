import { expect, test } from "vitest";
import { parseConfiguration } from "../../../config/configuration.ts";

const cluster = {
  kind: "gke",
  project: "my-project",
  region: "us-central1",
  name: "llama",
  version: "1.35",
  authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
};
const pool = {
  name: "h100",
  machineShape: "a3-highgpu-8g",
  zones: ["us-central1-a"],
  nodes: { min: 2, max: 2 },
  fabric: { kind: "multiNetwork" },
};
const operator = { image: "registry.example.com/llama-operator:0.1.0" };

const stack = (changes: object, ofCluster: object = {}) => ({
  cluster: { ...cluster, ...ofCluster },
  pools: [{ ...pool, ...changes }],
  operator,
});

function mistakes(value: unknown): readonly string[] {
  // A file has no undefined values.
  const parsed = parseConfiguration(JSON.parse(JSON.stringify(value)));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

test("the shortest pool of each fabric and capacity has no mistake", () => {
  const flexStart = { capacity: { kind: "flexStart", maxRunSeconds: 86_400 }, nodes: { min: 0, max: 2 } };
  for (const changes of [
    {},
    { fabric: { kind: "dranet" } },
    { machineShape: "a3-megagpu-8g" },
    { machineShape: "a3-ultragpu-8g", fabric: { kind: "dranet" }, placement: "compact", ...flexStart },
    { machineShape: "a3-highgpu-1g", fabric: { kind: "none" } },
    { placement: "compact" },
    { capacity: { kind: "reserved", reservation: "r", project: "other-project" } },
    { placement: { policy: "near" }, capacity: { kind: "reserved", reservation: "r" } },
    { capacity: { kind: "queued" }, nodes: { min: 0, max: 4 } },
    flexStart,
  ]) {
    expect(mistakes(stack(changes))).toEqual([]);
  }
});

test.each<readonly [what: string, changes: object, mistake: string]>([
  [
    "nodes within the pods' range",
    { network: { nodes: "10.4.0.0/20" } },
    "cluster.network.pods: 10.4.0.0/14 overlaps nodes 10.4.0.0/20: write a range apart from it",
  ],
  [
    "pods for one node",
    { network: { pods: "10.4.0.0/24" } },
    "cluster.network.pods: 10.4.0.0/24 has room for 1 node, and the stack may have 5: write a /21 or larger",
  ],
  [
    "a subnetwork for four nodes",
    { network: { nodes: "10.0.0.0/29" } },
    "cluster.network.nodes: 10.0.0.0/29 has room for 4 nodes, and the stack may have 5: write a /28 or larger",
  ],
  [
    "Services where the GPUs' networks are",
    { network: { services: "192.168.16.0/24" } },
    "cluster.network.services: 192.168.16.0/24 overlaps the GPUs' network 1 192.168.16.0/20",
  ],
  [
    "a range that begins within another",
    { network: { nodes: "10.0.0.5/20" } },
    "cluster.network.nodes: 10.0.0.5/20 begins within a range: write 10.0.0.0/20",
  ],
  [
    "maintenance of one hour",
    { maintenance: { start: "2026-12-05T02:00:00Z", end: "2026-12-05T03:00:00Z" } },
    "cluster.maintenance.end: a window lasts at least 4 hours, and this one 1: write a later end",
  ],
  [
    "maintenance that ends before it begins",
    { maintenance: { start: "2026-12-05T02:00:00Z", end: "2026-12-04T08:00:00Z" } },
    "cluster.maintenance.end: a window lasts at least 4 hours, and this one -18",
  ],
  [
    "four hours on Sundays only",
    {
      maintenance: {
        start: "2026-12-06T02:00:00Z",
        end: "2026-12-06T06:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SU",
      },
    },
    "cluster.maintenance.recurrence: GKE wants 48 hours in every 32 days, and this gives 16",
  ],
  [
    "every second weekend",
    {
      maintenance: {
        start: "2026-12-05T02:00:00Z",
        end: "2026-12-05T10:00:00Z",
        recurrence: "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU",
      },
    },
    "cluster.maintenance.recurrence: GKE wants 48 hours in every 32 days, and this gives 32",
  ],
  [
    "one Saturday a month",
    {
      maintenance: {
        start: "2026-12-05T00:00:00Z",
        end: "2026-12-05T12:00:00Z",
        recurrence: "FREQ=MONTHLY;BYDAY=1SA",
      },
    },
    "cluster.maintenance.recurrence: GKE wants 48 hours in every 32 days, and this gives 12",
  ],
  [
    "a recurrence that is none",
    {
      maintenance: {
        start: "2026-12-05T02:00:00Z",
        end: "2026-12-05T10:00:00Z",
        recurrence: "every weekend",
      },
    },
    "cluster.maintenance.recurrence: every weekend is no rule of RFC 5545",
  ],
])("a cluster with %s is refused with what to write instead", (_, changes, mistake) => {
  expect(mistakes(stack({}, changes))).toEqual([expect.stringContaining(mistake)]);
});

test.each([
  "FREQ=DAILY",
  "FREQ=WEEKLY;BYDAY=SA,SU",
  "FREQ=WEEKLY;BYDAY=MO,TU,WE",
  "FREQ=MONTHLY;BYDAY=SA,SU",
])("maintenance of six hours at %s is taken", (recurrence) => {
  const maintenance = { start: "2026-12-05T02:00:00Z", end: "2026-12-05T08:00:00Z", recurrence };
  expect(mistakes(stack({}, { maintenance }))).toEqual([]);
});

test.each<readonly [what: string, changes: object, mistake: string]>([
  [
    "a reservation's path for its name",
    { capacity: { kind: "reserved", reservation: "projects/other/reservations/x/reservationBlocks/b" } },
    "pools[0].capacity.reservation: must be a name, not a path: write reservation: x, project: other, block: b",
  ],
  [
    "a policy of GKE's own beside a reservation",
    { capacity: { kind: "reserved", reservation: "x" }, placement: "compact" },
    "pools[0].placement: no reservation is of a placement policy that GKE is yet to make: leave placement out, or write { policy }",
  ],
  [
    "a policy beside a reservation that is shared",
    { capacity: { kind: "reserved", reservation: "x", project: "other" }, placement: { policy: "near" } },
    "pools[0].placement: a reservation that another project shares serves no placement policy",
  ],
  [
    "another cloud's machine",
    { machineShape: "p5.48xlarge" },
    "pools[0].machineShape: the catalog has no machine p5.48xlarge of Google Cloud; nearest are",
  ],
  [
    "a zone of another region",
    { zones: ["us-east4-a"] },
    "pools[0].zones[0]: us-east4-a is not in us-central1: write a zone of it, such as us-central1-a",
  ],
  [
    "an odd number of nodes in two zones",
    { zones: ["us-central1-a", "us-central1-b"], nodes: { min: 3, max: 3 } },
    "pools[0].nodes.max: a pool of fixed size has as many nodes in each of its 2 zones: write 4 for both",
  ],
  [
    "an autoscaler's pool that would begin with half a node in each of two zones",
    { zones: ["us-central1-a", "us-central1-b"], nodes: { min: 1, max: 4 } },
    "pools[0].nodes.min: a pool begins with as many nodes in each of its 2 zones: write 2, or 0, or one zone",
  ],
  [
    "compact placement in two zones",
    { placement: "compact", zones: ["us-central1-a", "us-central1-b"] },
    "pools[0].zones: compact placement is within one zone: write only us-central1-a, or a pool a zone",
  ],
  [
    "compact placement with blue-green upgrades",
    { placement: "compact", upgrade: { strategy: "blueGreen" } },
    "pools[0].upgrade.strategy: compact placement cannot hold both pools of a blue-green upgrade: write surge",
  ],
  [
    "compact placement of queued nodes",
    { placement: "compact", capacity: { kind: "queued" }, nodes: { min: 0, max: 2 } },
    "pools[0].placement: queued nodes are placed by their request: leave placement out",
  ],
  [
    "compact placement of A3 High with flex-start",
    {
      placement: "compact",
      capacity: { kind: "flexStart", maxRunSeconds: 3600 },
      nodes: { min: 0, max: 2 },
    },
    "pools[0].placement: flex-start places only a3-ultragpu-8g and a4-highgpu-8g compactly",
  ],
  [
    "flex-start with repair",
    { capacity: { kind: "flexStart", maxRunSeconds: 3600 }, nodes: { min: 0, max: 2 }, repair: true },
    "pools[0].repair: GKE repairs no flex-start node: write false, or leave it out",
  ],
  [
    "flex-start with nodes that stay",
    { capacity: { kind: "flexStart", maxRunSeconds: 3600 } },
    "pools[0].nodes.min: flex-start nodes come when pods want them, and go: write 0",
  ],
  [
    "flex-start for longer than a week",
    { capacity: { kind: "flexStart", maxRunSeconds: 604_801 }, nodes: { min: 0, max: 2 } },
    "pools[0].capacity.maxRunSeconds: should be less than or equal to 604800",
  ],
  [
    "a queued pool with nodes",
    { capacity: { kind: "queued" } },
    "pools[0].nodes.min: a queued pool has no node until one is asked for: write 0",
  ],
  [
    "spot nodes of a reservation",
    { capacity: { kind: "spot", reservation: "r" } },
    "pools[0].capacity.reservation: only reserved capacity has one: write kind: reserved, or leave reservation out",
  ],
  [
    "a capacity of another cloud",
    { capacity: { kind: "capacityBlock" } },
    'pools[0].capacity.kind: GKE has "onDemand", "spot", "reserved", "flexStart" and "queued"',
  ],
  [
    "a reservation in two zones",
    { capacity: { kind: "reserved", reservation: "r" }, zones: ["us-central1-a", "us-central1-b"] },
    "pools[0].zones: a reservation is in one zone: write only its own, such as us-central1-a",
  ],
  [
    "spare nodes of a reservation",
    { capacity: { kind: "reserved", reservation: "r" }, upgrade: { maxSurge: 1 } },
    "pools[0].upgrade.maxSurge: a reservation has no room for spare nodes: write 0",
  ],
  [
    "blue-green upgrades of a reservation",
    { capacity: { kind: "reserved", reservation: "r" }, upgrade: { strategy: "blueGreen" } },
    "pools[0].upgrade.strategy: a reservation has no room for a second pool: write surge",
  ],
  [
    "a block of another project's reservation",
    { capacity: { kind: "reserved", reservation: "r", project: "other", block: "b" } },
    "pools[0].capacity.block: GKE takes no block of another project's reservation",
  ],
  [
    "an upgrade that replaces no node",
    { upgrade: { maxSurge: 0, maxUnavailable: 0 } },
    "pools[0].upgrade.maxUnavailable: with maxSurge 0 no node could ever be replaced: write at least 1",
  ],
  [
    "A3 High without a word on its fabric",
    { fabric: undefined },
    "pools[0].fabric: required: write { kind: multiNetwork } (4 further networks), { kind: dranet }",
  ],
  [
    "A3 Mega with four networks",
    {
      machineShape: "a3-megagpu-8g",
      fabric: {
        kind: "multiNetwork",
        networks: Array.from({ length: 4 }, (_, index) => ({
          network: `n${index}`,
          subnetwork: `s${index}`,
        })),
      },
    },
    "pools[0].fabric.networks: a3-megagpu-8g has 8 further interfaces, and there are 4 networks: write 8",
  ],
  [
    "networks of one's own for A3 Ultra",
    { machineShape: "a3-ultragpu-8g" },
    "pools[0].fabric.kind: networks of your own are not known for a3-ultragpu-8g: write { kind: dranet }",
  ],
  [
    "a fabric on a machine without one",
    { machineShape: "a3-highgpu-1g" },
    "pools[0].fabric.kind: a3-highgpu-1g has no network for its GPUs: write none, or leave fabric out",
  ],
])("%s is refused with what to write instead", (_, changes, mistake) => {
  const found = mistakes(stack(changes));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(mistake);
});

test.each(["1.35", "1.35.8", "1.35.8-gke.1000000", "1.40", undefined])(
  "version %s may be written",
  (version) => {
    expect(mistakes(stack({}, { version }))).toEqual([]);
  },
);

test.each([
  ["1.34.3-gke.1444000", 'the operator needs Kubernetes 1.35: write "1.35" or later'],
  [1.35, 'must be a version in quotes, such as "1.35"'],
  ["latest", 'must be a version in quotes, such as "1.35"'],
])("version %s is refused", (version, message) => {
  expect(mistakes(stack({}, { version }))).toEqual([`cluster.version: ${message}`]);
});

test("a pool is not called as the system pool", () => {
  expect(mistakes(stack({ name: "system" }))).toEqual([
    "pools[0].name: the nodes that run everything else are called system: write another name",
  ]);
});

test("the GPU Operator is on the nodes of all pools, or of none", () => {
  const pools = [
    { ...pool, driver: "gpuOperator" },
    { ...pool, name: "other" },
  ];
  expect(mistakes({ cluster, operator, pools })).toEqual([
    "pools[1].driver: pools[0] has the GPU Operator, whose device plugin would run here beside GKE's: write gpuOperator in both, or default in both",
  ]);
  expect(mistakes({ cluster, operator, pools: pools.slice(0, 1) })).toEqual([]);
});

test("the system pool may be in other zones of the region, and in no other region", () => {
  expect(mistakes(stack({}, { systemPool: { zones: ["us-central1-f"] } }))).toEqual([]);
  expect(mistakes(stack({}, { systemPool: { zones: ["us-east1-b"] } }))).toEqual([
    "cluster.systemPool.zones[0]: us-east1-b is not in us-central1: write a zone of it, such as us-central1-a",
  ]);
});

test("the system pool has room for the nodes that it begins with", () => {
  const nodes = { min: 1, max: 2 };
  expect(mistakes(stack({}, { systemPool: { nodes } }))).toEqual([
    "cluster.systemPool.nodes.max: it begins with a node in each of its 3 zones: write 3 or more, or fewer zones",
  ]);
  expect(mistakes(stack({}, { systemPool: { nodes, zones: ["us-central1-f"] } }))).toEqual([]);
});

test("who may reach the control plane has to be said, and the image, as on any cloud", () => {
  const { authorizedNetworks: _, ...open } = cluster;
  expect(mistakes({ cluster: open, pools: [pool] })).toEqual(["cluster.authorizedNetworks: Required value"]);
  expect(mistakes({ cluster, pools: [pool] })).toEqual([
    "operator.image: required: the operator's image, such as registry.example.com/llama-operator:0.1.0",
  ]);
});

test("a GpuPool's facts follow from the machine and the pool", () => {
  const parsed = parseConfiguration(
    stack({
      nodes: { min: 0, max: 4 },
      capacity: { kind: "queued" },
      namespaceSelector: { matchLabels: {} },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(parsed.configuration.pools[0]?.written).toEqual({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "a3-highgpu-8g",
    nodeSelector: { "cloud.google.com/gke-nodepool": "h100" },
    tolerations: [
      { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
      { key: "cloud.google.com/gke-queued", operator: "Exists", effect: "NoSchedule" },
    ],
    fabric: { type: "tcpx" },
    nodes: { max: 4 },
    capacity: "queued",
    namespaceSelector: { matchLabels: {} },
  });
});
