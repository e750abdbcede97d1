import { describe, expect, test } from "vitest";
import { architectureAt, checkpointsOf } from "./checkpoints.ts";
import { findModel } from "./models.ts";
import {
  awqLayout,
  bf16Layout,
  checkpointBytes,
  fbgemmLayout,
  fp8DynamicLayout,
  fp8ModeloptLayout,
  fp8StaticLayout,
  gptqLayout,
  int4ActivationOrderLayout,
  int8Layout,
  layerBytes,
  layerParameters,
} from "./weight-bytes.ts";
import type { WeightLayout } from "./weight-bytes.ts";
import type { Architecture } from "./models.ts";

const gibibyte = 2 ** 30;

function architectureOf(name: string): Architecture {
  const model = findModel(name);
  if (model === undefined) throw new Error(`${name} is not in the catalog`);
  return model.architecture;
}

/** The layout that the catalog gives a repository. */
function layoutOf(model: string, repository: string): WeightLayout {
  const checkpoint = checkpointsOf(model).find((candidate) => candidate.repository === repository);
  if (checkpoint === undefined) throw new Error(`${repository} is not in the catalog`);
  return checkpoint.layout;
}

describe("checkpoint bytes are those of the published files", () => {
  test.each([
    // model.safetensors.index.json, metadata.total_size: Hugging Face's guide to safetensors shards.
    ["llama-3.1-8b", bf16Layout, 16_060_522_496],
    // The same of meta-llama/Llama-3.1-70B at 349b2ddb, in two training logs that name index and bytes.
    ["llama-3.1-70b", bf16Layout, 141_107_412_992],
    // Loaded weights of the 3B in a public engine's memory budget.
    ["llama-3.2-3b-instruct", bf16Layout, 6_425_499_648],
    // Tensor bytes of RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8-dynamic, summed from its safetensors headers.
    ["llama-3.1-8b-instruct", fp8DynamicLayout, 9_083_953_152],
    // RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16, from its headers: AutoGPTQ's layout, bias and all.
    ["llama-3.1-8b-instruct", gptqLayout, 5_735_587_840],
    // RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16, from its headers.
    ["llama-3.3-70b-instruct", int4ActivationOrderLayout, 39_525_311_232],
    // RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w8a8: 1,283 tensors, in a streaming engine's test.
    ["llama-3.1-70b-instruct", int8Layout, 72_669_806_592],
    // index of an AWQ 70B in nine files, metadata.total_size, in a test of a safetensors reader.
    ["llama-3.1-70b-instruct", awqLayout, 39_767_785_472],
  ])("of %s to the byte: %#", (name, layout, bytes) => {
    expect(checkpointBytes(architectureOf(name), layout).total).toBe(bytes);
  });

  test("of NVIDIA's 8B FP8 but for the files' headers", () => {
    // 9,081,280,648 B is the size of nvidia/Llama-3.1-8B-Instruct-FP8's files, in a benchmark's table.
    const { total } = checkpointBytes(architectureOf("llama-3.1-8b-instruct"), fp8ModeloptLayout);
    expect(9_081_280_648 - total).toBeGreaterThan(0);
    expect(9_081_280_648 - total).toBeLessThan(100_000);
  });

  test("of Red Hat's 1B FP8, which stores its output head: 1.88 GiB", () => {
    const layout = layoutOf("llama-3.2-1b-instruct", "RedHatAI/Llama-3.2-1B-Instruct-FP8");
    const { total } = checkpointBytes(architectureOf("llama-3.2-1b-instruct"), layout);
    expect(total / gibibyte).toBeCloseTo(1.885, 2);
  });

  test("FP8 of 405B is 381.9 GiB with all linear layers, and 453.8 GiB as Meta's own", () => {
    const architecture = architectureOf("llama-3.1-405b-instruct");
    expect(checkpointBytes(architecture, fp8StaticLayout).total / gibibyte).toBeCloseTo(381.9, 1);
    expect(checkpointBytes(architecture, fbgemmLayout).total / gibibyte).toBeCloseTo(453.8, 1);
  });
});

describe("layer bytes", () => {
  test("are two bytes a parameter in BF16", () => {
    const architecture = architectureOf("llama-3.1-70b");
    const parameters = layerParameters(architecture);
    const bytes = layerBytes(architecture, bf16Layout);
    for (const [part, count] of Object.entries(parameters)) {
      expect(bytes).toHaveProperty(part, 2 * count);
    }
  });

  test("add up to the linear part of the checkpoint", () => {
    const architecture = architectureOf("llama-3.1-8b");
    const layer = layerBytes(architecture, awqLayout);
    const perLayer = layer.query + layer.output + layer.keyValue + layer.feedForward;
    expect(checkpointBytes(architecture, awqLayout).linear).toBe(architecture.layers * perLayer);
  });
});

describe("the two uploads of 405B", () => {
  const architecture = architectureOf("llama-3.1-405b-instruct");
  const [bf16] = checkpointsOf("llama-3.1-405b-instruct");
  if (bf16?.revision === undefined) throw new Error("405B has no pinned BF16 checkpoint");

  test("have 8 key-value heads at the pinned revision, and 16 in July 2024's", () => {
    const pinned = architectureAt(architecture, bf16, bf16.revision ?? "");
    expect(pinned).toEqual({ architecture });
    const july = architectureAt(architecture, bf16, "e04e3022cdc89bfed0db69f5ac1d249e21ee2d30");
    expect(july.architecture.keyValueHeads).toBe(16);
    expect(july.note).toBeUndefined();
  });

  test("cannot be told apart at an unknown revision: planned with 16, and said so", () => {
    const unknown = architectureAt(architecture, bf16, "0".repeat(40));
    expect(unknown.architecture.keyValueHeads).toBe(16);
    expect(unknown.note).toContain("num_key_value_heads");
  });

  test("do not trouble other models", () => {
    const [checkpoint] = checkpointsOf("llama-3.1-8b");
    if (checkpoint === undefined) throw new Error("8B has no checkpoint");
    const eight = architectureOf("llama-3.1-8b");
    expect(architectureAt(eight, checkpoint, "0".repeat(40))).toEqual({ architecture: eight });
  });
});
