import { expect, test } from "vitest";
import { parseConfiguration } from "../../../config/configuration.ts";
import { readStackFile, stackFilePath } from "../../../config/stack-file.ts";

const cluster = {
  kind: "eks",
  name: "llama",
  region: "us-east-1",
  version: "1.35",
  network: { zones: ["us-east-1a", "us-east-1b"] },
  endpoint: { access: "private" },
};
const pool = {
  name: "h100",
  machineShape: "p5.48xlarge",
  zones: ["us-east-1a"],
  nodes: { min: 2, max: 2 },
  capacity: { kind: "onDemand" },
};
const block = {
  kind: "capacityBlock",
  reservation: "cr-0123456789abcdef0",
  start: "2026-12-01T11:30:00Z",
  end: "2026-12-08T11:30:00Z",
};
const reserved = { kind: "reserved", reservation: "cr-0123456789abcdef0" };
const operator = { image: "registry.example.com/o:1" };

/** What is wrong, a line each; empty where nothing is. */
function mistakes(changes: { readonly cluster?: object; readonly pool?: object }): readonly string[] {
  const parsed = parseConfiguration({
    cluster: { ...cluster, ...changes.cluster },
    pools: [{ ...pool, ...changes.pool }],
    operator,
  });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** The GpuPool's spec. */
function specOf(changes: object): Readonly<Record<string, unknown>> {
  const parsed = parseConfiguration({ cluster, pools: [{ ...pool, ...changes }], operator });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration.pools[0]?.written ?? {};
}

test("a pool of p5.48xlarge is a GpuPool with EFA and the disks that its nodes join", () => {
  expect(specOf({ capacity: reserved })).toMatchInlineSnapshot(`
    {
      "allocatable": {
        "ephemeralStorage": "25479Gi",
      },
      "capacity": "reserved",
      "fabric": {
        "resources": {
          "vpc.amazonaws.com/efa": "32",
        },
        "type": "efa",
      },
      "gpu": {
        "perNode": 8,
        "product": "nvidia-h100-80gb",
      },
      "machineShape": "p5.48xlarge",
      "nodeSelector": {
        "eks.amazonaws.com/nodegroup": "h100",
      },
      "tolerations": [
        {
          "effect": "NoSchedule",
          "key": "nvidia.com/gpu",
          "operator": "Exists",
        },
      ],
    }
  `);
});

test("what a pool leaves out, its GpuPool does not promise", () => {
  const spec = specOf({ efa: false, localStorage: "none" });
  expect(spec).not.toHaveProperty("fabric");
  expect(spec).not.toHaveProperty("allocatable");
  expect(spec).not.toHaveProperty("nodes");
});

test.each([
  ["an on-demand pool", {}],
  ["a pool whose nodes are a version behind", { version: "1.34" }],
  ["a pool whose image is of its own version", { version: "1.34", amiReleaseVersion: "1.34.2-20261101" }],
  ["a reserved pool", { capacity: reserved }],
  ["a reserved pool in its placement group", { capacity: reserved, placementGroup: { name: "block-a" } }],
  [
    "a pool of a group of reservations",
    {
      capacity: {
        kind: "reserved",
        reservation: "arn:aws:resource-groups:us-east-1:123456789012:group/h100",
      },
    },
  ],
  ["a capacity block", { capacity: block, nodes: { min: 0, max: 4 } }],
  ["a pool over two zones without EFA", { efa: false, zones: ["us-east-1a", "us-east-1b"] }],
])("%s is taken", (_, changes) => {
  expect(mistakes({ pool: changes })).toEqual([]);
});

test.each([
  [{ zones: ["us-east-1a", "us-east-1b"] }],
  [{ zones: ["us-east-1a", "us-east-1b"], capacity: reserved }],
  [{ zones: ["us-east-1a", "us-east-1b"], capacity: { ...block }, nodes: { min: 0, max: 2 } }],
  [{ zones: ["us-east-1a", "us-east-1b"], efa: false, placementGroup: "create" }],
  [{ zones: ["us-east-1c"] }],
  [{ name: "system" }],
  [{ machineShape: "a3-highgpu-8g" }],
  [{ machineShape: "p5.48large" }],
  [{ machineShape: "gr6.4xlarge", efa: true }],
  [{ nodes: { min: 0, max: 2 } }],
  [{ capacity: block, nodes: { min: 2, max: 2 } }],
  [{ capacity: block, nodes: { min: 0, max: 2 }, placementGroup: "create" }],
  [{ capacity: { ...block, end: "2026-12-01T12:00:00Z" }, nodes: { min: 0, max: 2 } }],
  [{ capacity: block, machineShape: "g6e.48xlarge", nodes: { min: 0, max: 2 } }],
  [{ capacity: reserved, placementGroup: "create" }],
  [{ capacity: { kind: "reserved", reservation: "h100" } }],
  [{ capacity: { kind: "flexStart", maxRunSeconds: 600 } }],
  [{ amiType: "AL2023_x86_64_STANDARD" }],
  [{ amiReleaseVersion: "latest" }],
  [{ amiReleaseVersion: "1.33.2-20261101" }],
  [{ version: "1.36" }],
  [{ version: "1.31" }],
])("a pool with %j is refused, with what to write", (changes) => {
  expect(mistakes({ pool: changes })).toMatchSnapshot();
});

test.each([
  [{ version: "1.34" }],
  [{ version: 1.35 }],
  [{ region: "us-east" }],
  [{ network: { zones: ["us-east-1a"] } }],
  [{ network: { zones: ["us-east-1a", "us-east-1a"] } }],
  [{ network: { zones: ["us-east-1a", "us-west-2b"] } }],
  [{ network: { zones: ["us-east-1a", "us-east-1b"], cidr: "10.0.0.0/24" } }],
  [{ network: { zones: ["us-east-1a", "us-east-1b"], cidr: "10.0.0.999/16" } }],
  [{ network: { zones: ["us-east-1a", "us-east-1b"], cidr: "10.0.1.0/16" } }],
  [{ systemPool: { machineType: "m7g.xlarge" } }],
  [{ endpoint: { access: "public", cidrs: ["203.0.113.0/33"] } }],
  [{ endpoint: { access: "open" } }],
  [{ endpoint: { access: "public", cidrs: [] } }],
  [{ administrators: ["me"] }],
  [
    {
      administrators: [
        "arn:aws:iam::123456789012:role/admin",
        "arn:aws:iam::210987654321:role/admin",
        "arn:aws:iam::123456789012:role/teams/admin",
      ],
    },
  ],
])("a cluster with %j is refused, with what to write", (changes) => {
  expect(mistakes({ cluster: changes })).toMatchSnapshot();
});

test("the GPU Operator is for all pools or for none", () => {
  const pools = [
    { ...pool, driver: "gpuOperator" },
    { ...pool, name: "more" },
  ];
  const parsed = parseConfiguration({ cluster, pools, operator });
  expect(parsed.ok ? [] : parsed.problems.map(({ path }) => path)).toEqual(["pools[1].driver"]);
});

test("with an autoscaler, a pool may begin with fewer nodes than it may have", () => {
  expect(
    mistakes({ cluster: { autoscaler: "clusterAutoscaler" }, pool: { nodes: { min: 0, max: 2 } } }),
  ).toEqual([]);
});

test("the stack eks-p5 of this checkout has no mistake", async () => {
  await expect(readStackFile(stackFilePath("eks-p5"))).resolves.toBeDefined();
});
