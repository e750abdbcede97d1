// Holds the tensors of a checkpoint against what its configuration says. Two uploads of one model may differ in a
// single number (405B exists with 8 and with 16 key-value heads), and a plan from the wrong one is a wrong plan.
import type { Architecture } from "@llama-operator/llama/catalog";
import type { PlacedTensor } from "./checkpoint-parts.ts";
import { malformed, quoted } from "./errors.ts";

/** Types that hold one weight an element; the others pack several, and their shapes say less. */
const plainTypes = /^(?:BF16|F16|F32|F64|F8_E4M3|F8_E5M2|I8)$/;
const ggufTypes = /^(?:T?Q\d|IQ\d|MXFP4|NVFP4)/;

/** @throws InspectionError where layers are missing, or a matrix has another shape than the configuration gives it. */
export function checkConsistency(
  file: string,
  placed: readonly PlacedTensor[],
  architecture: Architecture,
): void {
  checkLayers(file, placed, architecture.layers);
  const shapes = expectedShapes(architecture);
  for (const { tensor, module, main } of placed) {
    const expected = shapes.get(module);
    const comparable = plainTypes.test(tensor.type) || ggufTypes.test(tensor.type);
    if (expected === undefined || !main || !comparable || tensor.shape.length !== 2) continue;
    if (tensor.shape[0] === expected.rows && tensor.shape[1] === expected.columns) continue;
    throw malformed(
      file,
      `tensor ${quoted(tensor.name)} is [${tensor.shape.join(", ")}], and the configuration makes it [${expected.rows}, ${expected.columns}] (${expected.from})`,
    );
  }
}

function checkLayers(file: string, placed: readonly PlacedTensor[], layers: number): void {
  const modules = new Map<number, Set<string>>();
  let embeddings = false;
  for (const { layer, part, module, main } of placed) {
    if (part === "embeddings") embeddings = true;
    if (layer === undefined) continue;
    if (layer >= layers) {
      throw malformed(
        file,
        `has a tensor of layer ${layer}, and the configuration ends at layer ${layers - 1}`,
      );
    }
    if (!main || (part !== "attention" && part !== "feedForward")) continue;
    const seen = modules.get(layer) ?? new Set();
    modules.set(layer, seen.add(module));
  }
  if (!embeddings) throw malformed(file, "has no embeddings: is this one file of several? Name their folder");
  const all = modules.get(0)?.size ?? 0;
  for (let layer = 0; layer < layers; layer += 1) {
    const seen = modules.get(layer)?.size ?? 0;
    if (seen === all && seen > 0) continue;
    throw malformed(
      file,
      `layer ${layer} has ${seen} linear modules of ${Math.max(all, 1)}: is this one file of several? Name their folder`,
    );
  }
}

interface ExpectedShape {
  readonly rows: number;
  readonly columns: number;
  /** The numbers that lead to it. */
  readonly from: string;
}

function expectedShapes(architecture: Architecture): ReadonlyMap<string, ExpectedShape> {
  const { hiddenSize, attentionHeads, keyValueHeads, headDimension, feedForwardSize, vocabularySize } =
    architecture;
  const heads = `${attentionHeads} heads of ${headDimension}`;
  const keyValue: ExpectedShape = {
    rows: keyValueHeads * headDimension,
    columns: hiddenSize,
    from: `${keyValueHeads} key-value heads of ${headDimension}`,
  };
  const query: ExpectedShape = { rows: attentionHeads * headDimension, columns: hiddenSize, from: heads };
  const output: ExpectedShape = { rows: hiddenSize, columns: attentionHeads * headDimension, from: heads };
  const feedForward = `feed-forward width ${feedForwardSize}`;
  const widening: ExpectedShape = { rows: feedForwardSize, columns: hiddenSize, from: feedForward };
  const narrowing: ExpectedShape = { rows: hiddenSize, columns: feedForwardSize, from: feedForward };
  const vocabulary: ExpectedShape = {
    rows: vocabularySize,
    columns: hiddenSize,
    from: `vocabulary of ${vocabularySize}, width ${hiddenSize}`,
  };
  return new Map([
    ["self_attn.q_proj", query],
    ["attn_q", query],
    ["self_attn.k_proj", keyValue],
    ["self_attn.v_proj", keyValue],
    ["attn_k", keyValue],
    ["attn_v", keyValue],
    ["self_attn.o_proj", output],
    ["attn_output", output],
    ["mlp.gate_proj", widening],
    ["mlp.up_proj", widening],
    ["ffn_gate", widening],
    ["ffn_up", widening],
    ["mlp.down_proj", narrowing],
    ["ffn_down", narrowing],
    ["model.embed_tokens", vocabulary],
    ["token_embd", vocabulary],
    ["lm_head", vocabulary],
    ["output", vocabulary],
  ]);
}
