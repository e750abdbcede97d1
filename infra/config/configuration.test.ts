import { expect, test } from "vitest";
import { parseConfiguration } from "./configuration.ts";
import { readStackFile, stackFilePath } from "./stack-file.ts";

const pool = {
  name: "h100",
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  machineShape: "a3-highgpu-8g",
  nodes: { min: 2, max: 2 },
};
const model = { name: "llama-8b", spec: { model: { name: "llama-3.1-8b-instruct" } } };
const local = { cluster: { kind: "local" }, pools: [pool], models: [model] };
const existing = {
  ...local,
  cluster: { kind: "kubeconfig" },
  operator: { image: "registry.example.com/o:1" },
};

/** What is wrong, a line each; empty where nothing is. */
function mistakes(value: unknown): readonly string[] {
  const parsed = parseConfiguration(value);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

const withPool = (changes: object) => ({ ...existing, pools: [{ ...pool, ...changes }] });

test("a configuration with twenty mistakes names all twenty", () => {
  const configuration = {
    cluster: { kind: "moon" },
    pool: [],
    pools: [
      { ...pool, gpu: { product: "nvidia-h100", perNode: 8 } },
      { ...pool, name: "H100", nodes: { min: 4, max: 2 } },
      { ...pool, name: "b", machineShape: "a3-highgpu-9g" },
      { ...pool, name: "b", nodes: { min: 1, max: 2 }, capacity: { kind: "queued" } },
      { ...pool, name: "c", capacity: { kind: "reserved", zone: "us-central1-a" } },
      { ...pool, name: "d", capacity: { kind: "spott" } },
      { ...pool, name: "e", gpu: { product: "nvidia-h200-141gb", perNode: 8 } },
      { ...pool, name: "g", tolerations: [{ key: "a", operator: "Exists", value: "b" }] },
      {
        ...pool,
        name: "h",
        capacity: {
          kind: "capacityBlock",
          reservation: "r-1",
          zone: "us-east-1a",
          start: "2026-12-01T00:00:00Z",
          end: "2026-12-02T00:00:00Z",
        },
      },
    ],
    namespaces: [{ name: "llama-operator" }],
    leaderWorkerSet: { install: false },
    operator: { replicas: 0 },
    models: [
      { ...model, name: "8b" },
      { ...model, wait: "ready" },
      { ...model, name: "a", spec: { model: {} } },
      { ...model, name: "b", spec: { ...model.spec, replicas: "two" } },
      { ...model, name: "c", spec: { ...model.spec, quantisation: {} } },
    ],
  };
  expect(mistakes(configuration)).toHaveLength(20);
  expect(mistakes(configuration)).toMatchInlineSnapshot(`
    [
      "pool: unknown section; there are cluster, pools, allowReplace, namespaces, volumes, leaderWorkerSet, operator, models",
      "cluster.kind: supported kinds: "local" (simulated nodes on this machine), "kubeconfig" (a cluster that is there), "eks", "gke", "aks"",
      "pools[0].gpu.product: the catalog has no GPU nvidia-h100; nearest are nvidia-h100-80gb, nvidia-h100-nvl-94gb, nvidia-h100-pcie-80gb",
      "pools[1].name: should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'",
      "pools[1].nodes.max: must be at least nodes.min",
      "pools[2].machineShape: the catalog has no machine a3-highgpu-9g; nearest are a3-highgpu-1g, a3-highgpu-2g, a3-highgpu-4g. For another machine leave machineShape out and write allocatable",
      "pools[4].capacity.reservation: Required value",
      "pools[5].capacity.kind: supported kinds: "onDemand", "spot", "reserved", "flexStart", "queued", "capacityBlock"",
      "pools[7].tolerations[0].value: a toleration with operator Exists takes no value",
      "pools[8].capacity.reservation: should match '^cr-[0-9a-f]+$'",
      "leaderWorkerSet.reason: Required value",
      "operator.replicas: should be greater than or equal to 1",
      "models[0].name: the name must start with a letter and hold only a-z, 0-9 and -, 40 characters at most: the Service has this name, and the pods' names add to it",
      "models[2].spec.model.name: Required value",
      "models[3].spec.replicas: must be of type integer: "string"",
      "models[4].spec.quantisation: unknown field "models[4].spec.quantisation"",
      "pools[3].name: b is pools[2] already: names are unique",
      "pools[3].nodes.min: a queued pool has no node until one is asked for: write 0",
      "pools[6].gpu.product: a3-highgpu-8g has nvidia-h100-80gb: write that",
      "operator.namespace: llama-operator is among namespaces: the operator makes its own, leave it out there",
    ]
  `);
});

test("a pool that may be replaced is one of the stack", () => {
  expect(mistakes({ ...existing, allowReplace: ["h100", "h200"] })).toEqual([
    "allowReplace[1]: no pool is named h200: write one of h100, or leave it out",
  ]);
});

test("the kind of the cluster decides how its pools are read", () => {
  const cluster = {
    kind: "gke",
    project: "my-project",
    region: "us-central1",
    name: "llama",
    authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
  };
  const { machineShape, name, nodes } = pool;
  const made = { machineShape, name, nodes, zones: ["us-central1-a"], fabric: { kind: "none" } };
  const parsed = parseConfiguration({ ...existing, cluster, pools: [made] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(parsed.configuration.platform.kind).toBe("gke");
  expect(parsed.configuration.pools[0]).toMatchObject({ name, gpu: pool.gpu, written: { machineShape } });
  expect(mistakes({ ...existing, cluster })).toEqual([
    "pools[0].zones: Required value",
    'pools[0].gpu: unknown field "pools[0].gpu"',
  ]);
});

test("a rule across fields is told beside an unreadable part elsewhere", () => {
  const found = mistakes({ ...local, cluster: { kind: "moon" }, pools: [pool, pool] });
  expect(found).toHaveLength(2);
  expect(found[1]).toBe("pools[1].name: h100 is pools[0] already: names are unique");
});

test("an image is required where no checkout stands behind the cluster", () => {
  expect(mistakes({ ...existing, operator: {} })).toEqual([
    "operator.image: required: the operator's image, such as registry.example.com/llama-operator:0.1.0",
  ]);
  expect(mistakes(local)).toEqual([]);
});

test("a value of the chart that has a field of its own is refused", () => {
  expect(mistakes({ ...existing, operator: { image: "a", values: { operator: { replicas: 2 } } } })).toEqual([
    "operator.values.operator.replicas: write it as operator.replicas: one value in two places would be two truths",
  ]);
});

test("the local cluster takes nodes that are there at once, and nothing that a cloud would have to give", () => {
  expect(mistakes({ ...local, pools: [{ ...pool, capacity: { kind: "spot" } }] })).toEqual([
    "pools[0].capacity.kind: spot asks a cloud for nodes, and those of the local cluster are simulated and there at once: write onDemand",
  ]);
});

test("a pool may not claim more GPUs than its machine has", () => {
  expect(mistakes(withPool({ machineShape: "a3-highgpu-1g" }))).toEqual([
    "pools[0].gpu.perNode: a3-highgpu-1g has 1 GPU: write 1",
  ]);
});

test("the GpuPool of a pool is what was written, with the most nodes only where they may grow", () => {
  const parsed = parseConfiguration(withPool({ nodes: { min: 0, max: 3 }, capacity: { kind: "queued" } }));
  if (!parsed.ok) throw new Error("not read");
  expect(parsed.configuration.pools[0]?.written).toEqual({
    gpu: pool.gpu,
    machineShape: pool.machineShape,
    nodes: { max: 3 },
    capacity: "queued",
  });
});

test("a model's spec holds only what was written, no defaults", () => {
  const parsed = parseConfiguration(local);
  if (!parsed.ok) throw new Error("not read");
  expect(parsed.configuration.models[0]?.writtenSpec).toEqual(model.spec);
  expect(parsed.configuration.models[0]?.spec.replicas).toBe(1);
});

test.each(["local", "existing", "gke-a3-high", "gke-a3-mega"])(
  "the stack %s of this checkout has no mistake",
  async (stack) => {
    await expect(readStackFile(stackFilePath(stack))).resolves.toBeDefined();
  },
);

test("a stack without a file names those that there are", async () => {
  await expect(readStackFile(stackFilePath("moon"))).rejects.toThrow(
    /existing, gke-a3-high, gke-a3-mega, local/,
  );
});
