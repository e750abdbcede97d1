import { expect, test } from "vitest";
import { parseConfiguration } from "../config/configuration.ts";
import { describeRefusals, planStack } from "./plan-stack.ts";
import type { StackPlan } from "./plan-stack.ts";

const pool = {
  name: "h100",
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  machineShape: "a3-highgpu-8g",
  nodes: { min: 2, max: 2 },
};
const large = {
  name: "large",
  spec: { model: { name: "llama-3.1-405b-instruct" }, quantization: { weights: "fp8" } },
};
const small = { name: "small", spec: { model: { name: "llama-3.1-8b-instruct" } } };

function planOf(parts: object): StackPlan {
  const parsed = parseConfiguration({ cluster: { kind: "local" }, pools: [pool], ...parts });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return planStack(parsed.configuration);
}

function refusals(parts: object): string {
  const plan = planOf(parts);
  return plan.ok ? "" : describeRefusals(plan.refusals);
}

function planned(parts: object) {
  const plan = planOf(parts);
  if (!plan.ok) throw new Error(describeRefusals(plan.refusals));
  return plan;
}

test("models that fit are planned in the operator's words, and what is left is counted", () => {
  const { models, pools } = planned({ models: [small, large] });
  expect(models.map(({ model, gpus }) => [model.name, gpus])).toEqual([
    ["small", 1],
    ["large", 8],
  ]);
  expect(models[1]?.summary).toContain("405B FP8 · 8 x H100 80GB on one node (tensor 8)");
  expect(pools).toEqual([{ pool: "h100", gpusNeeded: 9, gpusAtMost: 16, headroomGpus: 7 }]);
});

test("what cannot run is refused with what would, every model of it", () => {
  const oneNode = { ...large.spec, quantization: { weights: "bf16" }, parallelism: { pipeline: 1 } };
  const text = refusals({
    models: [
      { ...large, spec: oneNode },
      { ...small, spec: { model: { name: "llama-9" } } },
    ],
  });
  expect(text).toContain("default/large: Llama 3.1 405B Instruct in BF16");
  expect(text).toContain("What would work: weights in FP8: 8 x H100 80GB on one node (tensor 8)");
  expect(text).toContain("default/small: the catalog has no model llama-9");
});

test("replicas are counted against the nodes that a pool may have, the largest models first", () => {
  const text = refusals({ models: [small, { ...large, spec: { ...large.spec, replicas: 2 } }] });
  expect(text).toBe(
    [
      "what cannot run as written; nothing was done",
      "  default/small: 1 replica with 1 GPU of a node each do not fit pool h100: of its 2 nodes at most, 0 still have 1 GPU free beside the stack's larger models. What would work: pools[0].nodes.max 3, or fewer replicas",
    ].join("\n"),
  );
});

test("a replica over two nodes needs two whole ones", () => {
  const bf16 = {
    ...large,
    spec: { ...large.spec, quantization: { weights: "bf16" }, context: { maxTokens: 32768 } },
  };
  expect(planned({ models: [bf16] }).pools[0]?.headroomGpus).toBe(0);
  expect(refusals({ pools: [{ ...pool, nodes: { min: 1, max: 1 } }], models: [bf16] })).toContain(
    "pools[0].nodes.max 2",
  );
});

test("up waits for an answer, unless the pool may have no node yet", () => {
  const waits = (parts: object) => planned({ models: [small], ...parts }).models[0];
  expect(waits({})?.wait).toBe("ready");
  expect(waits({ pools: [{ ...pool, nodes: { min: 0, max: 2 } }] })).toMatchObject({
    wait: "planned",
    waitSeconds: 120,
  });
  expect(waits({ models: [{ ...small, wait: "planned" }] })?.wait).toBe("planned");
});

test("the wait follows from the plan's start-up, and is longer where nodes must come first", () => {
  const seconds = (nodes: object) => planned({ pools: [{ ...pool, nodes }], models: [large] }).models[0];
  const there = seconds({ min: 1, max: 1 });
  expect(there?.waitSeconds).toBe((there?.plan.startupSeconds ?? 0) * 3 + 600);
  expect(seconds({ min: 1, max: 2 })?.waitSeconds).toBe((there?.waitSeconds ?? 0) + 2400);
});

test("a pool is planned for only where its namespaces' labels allow", () => {
  const closed = { ...pool, namespaceSelector: { matchLabels: { team: "a" } } };
  const inTeam = { ...small, namespace: "a" };
  expect(refusals({ pools: [closed], models: [inTeam], namespaces: [{ name: "a" }] })).toContain(
    "no GpuPool",
  );
  expect(
    refusals({ pools: [closed], models: [inTeam], namespaces: [{ name: "a", labels: { team: "a" } }] }),
  ).toBe("");
});

const onVolume = (model: typeof large, path: string) => ({
  ...model,
  spec: {
    ...model.spec,
    model: { ...model.spec.model, source: { persistentVolumeClaim: { claimName: "weights", path } } },
  },
});

test("a volume must hold the checkpoints of the models that read it, each path once", () => {
  const volumes = [{ name: "weights", size: "300Gi" }];
  const two = [onVolume(large, "405b"), { ...onVolume(large, "405b"), name: "again" }];
  const text = refusals({ pools: [{ ...pool, nodes: { min: 2, max: 2 } }], volumes, models: two });
  expect(text).toMatch(/volume default\/weights of 300Gi is too small: its checkpoint takes 38\d\.\d GiB/);
  const enough = /volumes\[0\]\.size (\d+Gi)/.exec(text)?.[1];
  expect(refusals({ volumes: [{ name: "weights", size: enough }], models: two })).toBe("");
});

test("a volume for one node refuses models that may take several", () => {
  const volumes = [{ name: "weights", size: "1Ti", accessModes: ["ReadWriteOnce"] }];
  expect(refusals({ volumes, models: [onVolume(large, "405b")] })).toBe("");
  const two = { ...onVolume(large, "405b"), spec: { ...onVolume(large, "405b").spec, replicas: 2 } };
  expect(refusals({ volumes, models: [two] })).toContain("accessModes [ReadWriteMany]");
});

test("a model on a volume that the stack makes is not waited for until it answers: the volume comes empty", () => {
  const volumes = [{ name: "weights", size: "1Ti" }];
  expect(planned({ volumes, models: [onVolume(large, "405b")] }).models[0]?.wait).toBe("planned");
  expect(planned({ models: [onVolume(large, "405b")] }).models[0]?.wait).toBe("ready");
});

test("a driver that is older than the engine's CUDA is refused, and one that is not known is not judged", () => {
  const old = [{ ...pool, driverBranch: 535 }];
  expect(refusals({ pools: old, models: [small] })).toContain(
    "has CUDA 13, which needs driver 580 or later, and pool h100 has 535",
  );
  const own = { ...small, spec: { ...small.spec, engine: { image: "registry.example.com/vllm:cuda12" } } };
  expect(refusals({ pools: old, models: [own] })).toBe("");
  expect(refusals({ pools: [{ ...pool, driverBranch: 580 }], models: [small] })).toBe("");
  expect(refusals({ models: [small] })).toBe("");
});
