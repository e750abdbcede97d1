// Which degrees of tensor and pipeline parallelism are legal for a model on a machine. Tensor parallel exchanges
// activations twice a layer and stays where NVLink is; pipeline passes them once a stage and may cross nodes.
import type { Architecture } from "../../catalog/models.ts";
import type { WeightScheme } from "../../catalog/quantisation.ts";
import type { Hardware } from "../node/hardware.ts";
import { splitProblem } from "./quantised-split.ts";

/** How one replica lies on a pool's nodes. */
export interface Layout {
  readonly tensor: number;
  readonly pipeline: number;
  readonly nodes: number;
  /** GPUs of each node that the replica takes; all of them where it spans several. */
  readonly gpusPerPod: number;
}

/** Degrees that the spec asks for. */
export interface ParallelismRequest {
  readonly tensor?: number;
  readonly pipeline?: number;
}

/** The largest group that is chosen without being asked for: more nodes fail more often than they help. */
const mostNodesUnasked = 4;
/** The largest tensor degree of the kind's schema. */
const mostTensor = 64;

/** What a degree does not divide, by the names of config.json; `undefined` where it is legal for the model. */
export function tensorProblem(architecture: Architecture, tensor: number): string | undefined {
  const { attentionHeads, keyValueHeads, hiddenSize, feedForwardSize, vocabularySize } = architecture;
  if (attentionHeads % tensor !== 0) return `${attentionHeads} attention heads`;
  if (keyValueHeads >= tensor ? keyValueHeads % tensor !== 0 : tensor % keyValueHeads !== 0) {
    return `${keyValueHeads} key-value heads`;
  }
  if (hiddenSize % tensor !== 0) return `hidden size ${hiddenSize}`;
  if (feedForwardSize % tensor !== 0) return `feed-forward size ${feedForwardSize}`;
  // The engine pads the vocabulary to a multiple of 64 before it splits it.
  const padded = Math.ceil(vocabularySize / 64) * 64;
  return padded % tensor === 0 ? undefined : `vocabulary ${padded}`;
}

/** Tensor degrees that are legal for the model, or for such weights of it, ascending. */
export function legalTensorDegrees(architecture: Architecture, weights?: WeightScheme): readonly number[] {
  return Array.from({ length: mostTensor }, (_, index) => index + 1).filter(
    (tensor) =>
      tensorProblem(architecture, tensor) === undefined &&
      (weights === undefined || splitProblem(architecture, weights, tensor) === undefined),
  );
}

function layoutOn(hardware: Hardware, tensor: number, pipeline: number): Layout | undefined {
  const { gpusPerNode } = hardware;
  const gpus = tensor * pipeline;
  if (gpus <= gpusPerNode) return { tensor, pipeline, nodes: 1, gpusPerPod: gpus };
  if (gpus % gpusPerNode !== 0 || gpusPerNode % tensor !== 0) return undefined;
  return { tensor, pipeline, nodes: gpus / gpusPerNode, gpusPerPod: gpusPerNode };
}

/**
 * Pipeline degrees to try for one tensor degree where none is asked for: one stage; and with the widest, stages that
 * fill an equal part of a node, then as many whole nodes as the pool may have.
 */
function pipelinesUnasked(hardware: Hardware, tensor: number, widest: number): readonly number[] {
  if (tensor !== widest || hardware.gpusPerNode % tensor !== 0) return [1];
  const stagesPerNode = hardware.gpusPerNode / tensor;
  const mostNodes = Math.min(mostNodesUnasked, hardware.pool.spec.nodes?.max ?? mostNodesUnasked);
  const inNode = Array.from({ length: stagesPerNode }, (_, index) => index + 1).filter(
    (stages) => stagesPerNode % stages === 0,
  );
  const several = Array.from(
    { length: Math.max(0, mostNodes - 1) },
    (_, index) => (index + 2) * stagesPerNode,
  );
  return [...inNode, ...several];
}

/**
 * Every layout to consider on a pool, fewest GPUs first; none where what is requested is not legal there. With nothing
 * requested: each tensor degree inside a node, and stages of the widest of them on the rest of the node and on two to
 * four whole nodes.
 */
export function layoutsOn(
  hardware: Hardware,
  architecture: Architecture,
  degrees: readonly number[],
  requested: ParallelismRequest,
): readonly Layout[] {
  const inDomain = degrees.filter((tensor) => tensor <= hardware.nvlinkDomain);
  const widest = inDomain.at(-1) ?? 0;
  return inDomain
    .filter((tensor) => requested.tensor === undefined || tensor === requested.tensor)
    .flatMap((tensor) => {
      const pipelines =
        requested.pipeline === undefined ? pipelinesUnasked(hardware, tensor, widest) : [requested.pipeline];
      return pipelines
        .filter((pipeline) => pipeline <= architecture.layers)
        .map((pipeline) => layoutOn(hardware, tensor, pipeline));
    })
    .filter((layout) => layout !== undefined)
    .sort((one, other) => one.tensor * one.pipeline - other.tensor * other.pipeline);
}

/** Why no layout of the requested degrees is legal on a pool; for a refusal. */
export function parallelismProblem(
  hardware: Hardware,
  architecture: Architecture,
  requested: ParallelismRequest,
): string {
  const { gpusPerNode, nvlinkDomain, pool } = hardware;
  const { tensor, pipeline } = requested;
  if (tensor !== undefined && tensor > nvlinkDomain) {
    return `tensor ${tensor} is more than the ${nvlinkDomain} GPUs that are joined in a node of pool ${pool.name}; pipeline stages may cross nodes`;
  }
  if (pipeline !== undefined && pipeline > architecture.layers) {
    return `pipeline ${pipeline} is more than the model's ${architecture.layers} layers`;
  }
  const degrees = `tensor ${tensor ?? "of any degree"} x pipeline ${pipeline ?? 1}`;
  return `${degrees} is neither inside a node of ${gpusPerNode} GPUs of pool ${pool.name} nor a number of whole nodes`;
}
