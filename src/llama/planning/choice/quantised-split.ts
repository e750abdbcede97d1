// Which tensor degrees a quantised checkpoint allows besides those of its shapes: a rank must hold whole blocks of
// weights that share a scale. Source: vllm/model_executor/layers/quantization/utils/fp8_utils.py,
// validate_fp8_block_shape; gptq.py, awq.py and compressed_tensors_wNa16.py beside it, create_weights.
import type { Architecture } from "../../catalog/models.ts";
import { splitsByTensor } from "../../catalog/quantisation.ts";
import type { WeightScheme } from "../../catalog/quantisation.ts";
import { keyValueHeadsPerRank } from "../memory/weights.ts";

/** One matrix of a decoder layer as a rank holds it. */
interface RankMatrix {
  /** As checkpoints name it, and as messages do. */
  readonly name: string;
  /** What of it is split: its outputs, or its inputs ("row parallel" in vLLM). */
  readonly split: "outputs" | "inputs";
  readonly outputs: number;
  readonly inputs: number;
  /** vLLM merges it with matrices that follow it in one buffer, where it must end with a whole block. */
  readonly followed: boolean;
}

function matricesOf(architecture: Architecture, tensor: number): readonly RankMatrix[] {
  const { hiddenSize, attentionHeads, headDimension, feedForwardSize } = architecture;
  const query = (attentionHeads * headDimension) / tensor;
  const keyValue = keyValueHeadsPerRank(architecture, tensor) * headDimension;
  const feedForward = feedForwardSize / tensor;
  const column = (name: string, outputs: number, followed: boolean): RankMatrix => ({
    name,
    split: "outputs",
    outputs,
    inputs: hiddenSize,
    followed,
  });
  const row = (name: string, inputs: number): RankMatrix => ({
    name,
    split: "inputs",
    outputs: hiddenSize,
    inputs,
    followed: false,
  });
  return [
    column("q_proj", query, true),
    column("k_proj", keyValue, true),
    column("v_proj", keyValue, false),
    row("o_proj", query),
    column("gate_proj", feedForward, true),
    column("up_proj", feedForward, false),
    row("down_proj", feedForward),
  ];
}

/**
 * A side of a matrix that FP8 blocks do not divide. With one rank nothing is cut, but what vLLM merges must still meet
 * at the edge of a block.
 */
function cutBlock(scheme: WeightScheme, matrix: RankMatrix, tensor: number): number | undefined {
  const { outputs = 1, inputs = 1 } = scheme.block ?? {};
  if (matrix.split === "inputs") return tensor > 1 && matrix.inputs % inputs !== 0 ? inputs : undefined;
  return (tensor > 1 || matrix.followed) && matrix.outputs % outputs !== 0 ? outputs : undefined;
}

/** A side of a matrix that groups of integers do not divide; the kernels know no part of a group. */
function cutGroup({ block }: WeightScheme, { inputs }: RankMatrix): number | undefined {
  return block?.inputs !== undefined && inputs % block.inputs !== 0 ? block.inputs : undefined;
}

/** What a degree would cut of quantised weights; `undefined` where each rank holds whole blocks. */
export function splitProblem(
  architecture: Architecture,
  scheme: WeightScheme,
  tensor: number,
): string | undefined {
  const { format, quantMethod = "the method", block } = scheme;
  if (tensor > 1 && !splitsByTensor(quantMethod)) {
    return `cannot split a checkpoint that is quantised by ${quantMethod}, whose scales belong to whole matrices; pipeline stages can`;
  }
  if (block === undefined || format === "bf16") return undefined;
  for (const matrix of matricesOf(architecture, tensor)) {
    const divisor = format === "fp8" ? cutBlock(scheme, matrix, tensor) : cutGroup(scheme, matrix);
    if (divisor === undefined) continue;
    const side = format === "fp8" ? matrix.split : "inputs";
    const kind =
      format === "fp8"
        ? `blocks of ${block.outputs} x ${block.inputs ?? matrix.inputs} FP8 weights`
        : `groups of ${divisor} ${format.toUpperCase()} weights`;
    return `would cut ${kind} that share a scale: ${matrix.name} has ${matrix[side]} ${side} on each GPU, which ${divisor} does not divide`;
  }
  return undefined;
}
