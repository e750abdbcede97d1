import { describe, expect, test } from "vitest";
import { evaluate } from "@llama-operator/llama";
import type { PoolFacts } from "@llama-operator/llama/planning";
import { gpuPoolSpec, llamaDeploymentSpec, type LlamaDeploymentSpec } from "@llama-operator/llama/api";
import type { AdmissionRequest } from "./admission-review.ts";
import { review, type PlanningSources } from "./review.ts";

const h100: PoolFacts = {
  name: "h100",
  labels: { tier: "gold" },
  spec: gpuPoolSpec.parse({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "a3-highgpu-8g",
    nodes: { max: 4 },
  }),
};

const withPools = (pools: readonly PoolFacts[] | undefined): PlanningSources => ({
  pools: () => pools,
  currentPlan: () => undefined,
  measuredOverheads: [],
});
const oneNodePool = withPools([h100]);

const apiVersion = "llama-operator.dev/v1alpha1";
const llama = (spec: object, metadata: object = {}) => ({
  apiVersion,
  kind: "LlamaDeployment",
  metadata: { name: "llama", namespace: "team", ...metadata },
  spec,
});
const kindOf = (object: { readonly kind: string }) => ({
  group: "llama-operator.dev",
  version: "v1alpha1",
  kind: object.kind,
});

function create(object: Record<string, unknown> & { readonly kind: string }): AdmissionRequest {
  return { uid: "1", kind: kindOf(object), operation: "CREATE", object, oldObject: null };
}

function update(
  oldObject: Record<string, unknown> & { readonly kind: string },
  object: Record<string, unknown>,
): AdmissionRequest {
  return { uid: "1", kind: kindOf(oldObject), operation: "UPDATE", object, oldObject };
}

const token = { source: { huggingFace: { tokenSecretRef: { name: "hf-token", key: "token" } } } };
const fits = { model: { name: "llama-3.1-8b-instruct", ...token } };
const tooBig = {
  model: { name: "llama-3.1-405b-instruct", ...token },
  quantization: { weights: "bf16" },
  parallelism: { tensor: 8, pipeline: 1 },
};
const allow = { allowed: true, warnings: [] };

describe("a LlamaDeployment", () => {
  test("that fits is allowed without a word", () => {
    expect(review(create(llama(fits)), oneNodePool)).toEqual(allow);
  });

  test("that cannot run is refused with the number that broke and what would work", () => {
    expect(review(create(llama(tooBig)), oneNodePool)).toEqual({
      allowed: false,
      reason: "DoesNotFit",
      message:
        "Llama 3.1 405B Instruct in BF16 with tensor 8 on pool h100 needs 94.5 GiB of weights per GPU, and each " +
        "H100 80GB has 79.2 GiB visible. What would work: weights in FP8: 8 x H100 80GB on one node (tensor 8); " +
        "or pipeline 2: 16 x H100 80GB on two nodes (tensor 8 x pipeline 2)",
    });
  });

  test("that the engine objects to is refused before it is planned", () => {
    const spec = { ...fits, engine: { args: { "tensor-parallel": "4" } } };
    expect(review(create(llama(spec)), oneNodePool)).toMatchObject({ allowed: false, reason: "InvalidSpec" });
  });

  test("without a pool is let in, with a warning that it waits", () => {
    expect(review(create(llama(fits)), withPools([]))).toEqual({
      allowed: true,
      warnings: ["it waits (NoPool): there is no GpuPool that this namespace may use"],
    });
  });

  test("whose pool is not there hears which would do", () => {
    const placement = { poolSelector: { matchLabels: { tier: "silver" } } };
    const decision = review(create(llama({ ...fits, placement })), oneNodePool);
    expect(decision).toMatchObject({ allowed: true });
    expect(decision.allowed && decision.warnings).toEqual([
      "it waits (NoPool): no GpuPool that this namespace may use has the labels tier=silver",
      expect.stringMatching(/^what would work now: any pool: /),
    ]);
  });

  test("of a gated model without a token is warned of", () => {
    const spec = { model: { name: "llama-3.1-8b-instruct" } };
    expect(review(create(llama(spec)), oneNodePool)).toEqual({
      allowed: true,
      warnings: [
        "meta-llama/Llama-3.1-8B-Instruct is gated: without model.source.huggingFace.tokenSecretRef its download will be refused",
      ],
    });
  });

  test("in a namespace that is not known yet is let in", () => {
    expect(review(create(llama(tooBig)), withPools(undefined))).toEqual(allow);
  });

  test("that this version cannot read is the API server's business", () => {
    expect(review(create(llama({ ...tooBig, fromTheFuture: 1 })), oneNodePool)).toEqual(allow);
  });
});

describe("an edit of a LlamaDeployment", () => {
  test("into what cannot run is refused", () => {
    const decision = review(update(llama(fits), llama(tooBig)), oneNodePool);
    expect(decision).toMatchObject({ allowed: false, reason: "DoesNotFit" });
  });

  test.each([
    ["its labels", llama(tooBig, { labels: { team: "blue" } })],
    ["its replicas", llama({ ...tooBig, replicas: 0 })],
    ["the labels of its pods", llama({ ...tooBig, podTemplate: { labels: { team: "blue" } } })],
    ["nothing but defaults", llama({ ...tooBig, context: { minConcurrency: 1 } })],
  ])("that changes %s passes, though it cannot run as it is", (_what, edited) => {
    expect(review(update(llama(tooBig), edited), oneNodePool)).toEqual(allow);
  });

  test("from one thing that cannot run to another is refused: the words are about the new one", () => {
    const longer = { ...fits, context: { maxTokens: 200_000 } };
    const decision = review(update(llama(tooBig), llama(longer)), oneNodePool);
    expect(decision).toMatchObject({ allowed: false, reason: "ContextTooLong" });
  });

  test("that mends what cannot run passes", () => {
    expect(review(update(llama(tooBig), llama(fits)), oneNodePool)).toEqual(allow);
  });

  test("of an object that is being deleted passes", () => {
    const deletionTimestamp = "2026-11-26T10:00:00Z";
    const leaving = llama(tooBig, { deletionTimestamp });
    expect(review(update(llama(fits), leaving), oneNodePool)).toEqual(allow);
  });

  test("is planned beside the plan in force, as the controller will; a new object has none", () => {
    const inForce = evaluate({ spec: llamaDeploymentSpec.parse(fits), pools: [h100] });
    if (inForce.kind !== "plan") throw new Error(inForce.message);
    const seen: LlamaDeploymentSpec[] = [];
    const sources: PlanningSources = {
      pools: () => [h100],
      currentPlan: (_, spec) => {
        seen.push(spec);
        return { plan: inForce };
      },
      measuredOverheads: [],
    };
    const edited = llama({ ...fits, context: { maxTokens: 8192 } });
    expect(review(update(llama(fits), edited), sources)).toEqual(allow);
    expect(review(create(edited), sources)).toEqual(allow);
    expect(seen).toEqual([llamaDeploymentSpec.parse(edited.spec)]);
  });
});

describe("a GpuPool", () => {
  const pool = (spec: object) => ({ apiVersion, kind: "GpuPool", metadata: { name: "pool" }, spec });
  const voodoo = pool({ gpu: { product: "nvidia-voodoo", perNode: 8 } });

  test("of a GPU that the catalog lacks is refused, and told which it has", () => {
    expect(review(create(voodoo), oneNodePool)).toEqual({
      allowed: false,
      reason: "InvalidSpec",
      message: expect.stringContaining("nvidia-voodoo, which the catalog lacks; it knows nvidia-h100-80gb"),
    });
  });

  test("that contradicts its machine is refused", () => {
    const spec = { gpu: { product: "nvidia-a100-80gb", perNode: 8 }, machineShape: "a3-highgpu-8g" };
    expect(review(create(pool(spec)), oneNodePool)).toMatchObject({
      allowed: false,
      message: "pool pool says that its GPUs are nvidia-a100-80gb, but a3-highgpu-8g has nvidia-h100-80gb",
    });
  });

  test("that is sound is allowed, and so is a change of one that is not", () => {
    const sound = pool({ gpu: { product: "nvidia-h100-80gb", perNode: 8 } });
    expect(review(create(sound), oneNodePool)).toEqual(allow);
    const grown = pool({ ...voodoo.spec, nodes: { max: 3 } });
    expect(review(update(voodoo, grown), oneNodePool)).toEqual(allow);
    expect(review(update(sound, voodoo), oneNodePool)).toMatchObject({ allowed: false });
  });
});

test("deletions, subresources and other kinds are none of its business", () => {
  const { uid, kind, object } = create(llama(tooBig));
  const request = { uid, kind, object, operation: "UPDATE" };
  expect(review({ ...request, subResource: "scale" }, oneNodePool)).toEqual(allow);
  expect(review({ ...request, operation: "DELETE" }, oneNodePool)).toEqual(allow);
  const foreign = { group: "apps", version: "v1", kind: "Deployment" };
  expect(review({ ...request, kind: foreign }, oneNodePool)).toEqual(allow);
});
