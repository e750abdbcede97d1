// A plan term by term: each formula with its numbers and its source. The bytes of the memory terms add up to the GPU,
// and they come from the functions that planning itself uses, so an explanation cannot tell another story.
import {
  activationsOf,
  capturedSizes,
  coldCompileBaseBytes,
  forwardPassBytes,
  logitsUnitBytes,
  stepLogitsBytes,
} from "../memory/overhead.ts";
import type { OverheadInput } from "../memory/overhead.ts";
import { trustIn } from "../../catalog/engines/vllm-regimes.ts";
import { accountMemory, overheadInputOf } from "../memory/memory.ts";
import type { MemoryAccount, MemoryInput } from "../memory/memory.ts";
import { blocksPerRequest } from "../memory/kv-cache.ts";
import { keyValueHeadsPerRank, stageWeightParts } from "../memory/weights.ts";
import { gib, thousands } from "./format.ts";
import type { MemoryPerGpu } from "../plan.ts";

/** One line of an explanation. */
export interface Term {
  /** What it is: a part of `memoryPerGpu`, or a figure that follows. */
  readonly name: string;
  readonly formula: string;
  /** The formula with its numbers. */
  readonly numbers: string;
  /** Bytes of a GPU, where the term is memory that is taken; these add up to the GPU. */
  readonly bytes?: number;
  /** File, paper or log. */
  readonly source: string;
}

const sources = {
  visible: "catalog/gpus.ts: lowest visible memory in public start-up logs",
  budget: "vllm/v1/worker/utils.py request_memory",
  weights: "vllm/model_executor/models/llama.py; layers/linear.py; start-up logs agree within 0.1 %",
  forward: "live tensors of a decoder layer; logs of V0 and of 0.11",
  coldCompile: "vllm-project/vllm#54122 and #54383; logs of 0.28 to 0.31, cold and warm",
  graphs: "VllmConfig cudagraph sizes; 0.20.0 against 0.19.0 on four H200",
  kv: "vllm/v1/core/kv_cache_utils.py",
  lora: "vllm/lora/layers",
} as const;

function weightTerms(input: MemoryInput, { stage }: MemoryAccount): readonly Term[] {
  const { architecture, layout, tensor } = input;
  const parts = stageWeightParts(architecture, layout, stage, tensor);
  const term = (name: string, formula: string, numbers: string, bytes: number): Term => ({
    name: `weights: ${name}`,
    formula,
    numbers,
    bytes,
    source: sources.weights,
  });
  return [
    term(
      "decoder layers",
      "layers x ((q + o + 3 ffn) / TP + (k + v) x heads of a rank / heads + norms)",
      `${stage.layers} layers, TP ${tensor}, ${keyValueHeadsPerRank(architecture, tensor)} of ${architecture.keyValueHeads} key-value heads a rank`,
      parts.layers,
    ),
    term(
      "embeddings and head",
      "matrices x padded vocabulary / TP x hidden x 2 B",
      `${parts.matrices} x ${thousands(parts.paddedVocabulary)} / ${tensor} x ${thousands(architecture.hiddenSize)} x 2 B`,
      parts.vocabulary,
    ),
    term(
      "final norm and rotary table",
      "hidden x 2 B + positions x head dimension x 2 B",
      `${thousands(architecture.hiddenSize)} x 2 B + ${thousands(architecture.maxPositions)} x ${architecture.headDimension} x 2 B`,
      parts.rest,
    ),
  ];
}

/** What the rule rests on with the ranks of this layout. */
const evidenceOf = ({ regime, tensor, pipeline, limits }: MemoryInput): string =>
  trustIn(regime, tensor * pipeline, limits.maxNumSeqs).evidence;

/** The peak of a step, and what a cold torch.compile takes above it; `bytes` is both. */
function activationTerms(input: MemoryInput, overhead: OverheadInput, bytes: number): readonly Term[] {
  const { architecture, limits, regime, tensor, measuredOverheadBytes } = input;
  if (measuredOverheadBytes !== undefined) {
    return [
      {
        name: "activations",
        formula: "measured overhead - graphs - communication",
        numbers: `${gib(measuredOverheadBytes)} as a running engine reported`,
        bytes,
        source: "vllm:cache_config_info of a running engine",
      },
    ];
  }
  const forward = forwardPassBytes(architecture, tensor, limits.maxNumBatchedTokens, regime.forward);
  const unit = logitsUnitBytes(architecture, limits);
  const { sampler } = regime;
  const formula =
    sampler.kind === "profiled"
      ? `max(F, ${sampler.units} U + hidden states) + what is kept`
      : `${sampler.units} U + max(F, logits) + what is kept`;
  const logits = sampler.kind === "profiled" ? "" : `, logits ${gib(stepLogitsBytes(overhead))}`;
  const width = regime.forward === "eager" ? "3h + 3f/TP" : "4h + 3f/TP";
  const steady = Math.ceil(activationsOf(overhead).steady);
  return [
    {
      name: "activations",
      formula: `${formula}; U = sequences x vocabulary x 4 B, F = tokens x (${width}) x 2 B`,
      numbers: `U ${gib(unit)} (${thousands(Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens))} x ${thousands(architecture.vocabularySize)} x 4 B), F ${gib(forward)} (${thousands(limits.maxNumBatchedTokens)} tokens)${logits}; ${overhead.stage.last ? "last" : "no last"} stage`,
      bytes: steady,
      source: `${regime.name}: ${evidenceOf(input)}; ${sources.forward}`,
    },
    ...(bytes === steady
      ? []
      : [
          {
            name: "torch.compile, cold",
            formula: `what (padded vocabulary / TP + tokens) x hidden x 2 B + ${gib(coldCompileBaseBytes)} has above that peak`,
            numbers: "a new pod has an empty cache; a restart of its container finds it warm",
            bytes: bytes - steady,
            source: sources.coldCompile,
          },
        ]),
  ];
}

function restTerms(input: MemoryInput, account: MemoryAccount, overhead: OverheadInput): readonly Term[] {
  const { limits, regime, tensor, eager } = input;
  const { perGpu, stage } = account;
  const sizes = capturedSizes(limits.maxNumSeqs, input.gpu, input.largestGraph);
  const graphless = eager ? "eager: none" : "this version counts none: they lie outside the budget";
  return [
    ...activationTerms(input, overhead, perGpu.activations),
    {
      name: "graphs",
      formula: "(batch sizes + 2) x (layers + 1) x 0.215 MiB",
      numbers: perGpu.graphs === 0 ? graphless : `(${sizes} + 2) x (${stage.layers} + 1) x 0.215 MiB`,
      bytes: perGpu.graphs,
      source: sources.graphs,
    },
    {
      name: "communication",
      formula:
        "one rank or PCIe alone: what kernels take; several: base + a part of each rank of the tensor group",
      numbers: tensor * input.pipeline === 1 ? "one rank" : `tensor ${tensor}`,
      bytes: perGpu.communication,
      source: `${regime.name}: ${evidenceOf(input)}`,
    },
    ...(perGpu.additional === 0
      ? []
      : [
          {
            name: "additional",
            formula: "layers x slots x rank x (inputs + outputs) x 2 B, and the draft's weights",
            numbers: JSON.stringify(input.additional),
            bytes: perGpu.additional,
            source: sources.lora,
          },
        ]),
    {
      name: "margin",
      formula: "left free because the rule may be off by as much",
      numbers: input.measuredOverheadBytes === undefined ? `${evidenceOf(input)} rule` : "measured",
      bytes: perGpu.margin,
      source: "catalog/engines/vllm-regimes.ts",
    },
  ];
}

function cacheTerms(
  { limits, kvCache, tensor, architecture }: MemoryInput,
  account: MemoryAccount,
): readonly Term[] {
  const { perGpu, blockBytes, kvCacheTokens, stage } = account;
  const blocks = kvCacheTokens / limits.blockSize;
  const heads = keyValueHeadsPerRank(architecture, tensor);
  return [
    {
      name: "KV cache",
      formula:
        "floor((budget - all above) / block) x block; block = 2 x layers x heads of a rank x head dimension x bytes x tokens",
      numbers: `${thousands(blocks)} blocks of 2 x ${stage.layers} x ${heads} x ${architecture.headDimension} x ${kvCache === "fp8" ? 1 : 2} B x ${limits.blockSize} = ${thousands(blockBytes)} B`,
      bytes: perGpu.kvCache,
      source: sources.kv,
    },
    {
      name: "outside the budget",
      formula: "visible - budget, and what fills no block",
      numbers: `${gib(account.outsideBytes)} outside; context and NCCL may take ${gib(account.outsideNeededBytes)}`,
      bytes: perGpu.reserved,
      source: sources.budget,
    },
  ];
}

function figureTerms({ limits, minConcurrency }: MemoryInput, account: MemoryAccount): readonly Term[] {
  const blocks = account.kvCacheTokens / limits.blockSize;
  const perRequest = blocksPerRequest(limits.maxModelLen, limits.blockSize);
  return [
    {
      name: "KV tokens",
      formula: "blocks x block size; expected: with the margin's blocks",
      numbers: `${thousands(blocks)} x ${limits.blockSize} = ${thousands(account.kvCacheTokens)}; expected ${thousands(account.expectedKvCacheTokens)}`,
      source: sources.kv,
    },
    {
      name: "requests at once",
      formula: "blocks / ceil(context / block size); needed: requests x that + one null block",
      numbers: `${thousands(blocks)} / ${thousands(perRequest)} = ${account.maxConcurrency}; needed ${thousands(perRequest * minConcurrency + 1)} blocks`,
      source: sources.kv,
    },
  ];
}

/** Every term of a memory account. The `bytes` of all terms but the first two add up to the first. */
export function memoryTerms(input: MemoryInput): readonly Term[] {
  const account = accountMemory(input);
  const { limits } = input;
  const overhead = overheadInputOf(input, account.stage);
  return [
    {
      name: "visible",
      formula: "what the engine sees of the GPU",
      numbers: gib(account.visibleBytes),
      source: sources.visible,
    },
    {
      name: "budget",
      formula: "ceil(gpu-memory-utilization x visible)",
      numbers: `ceil(${limits.gpuMemoryUtilization} x ${gib(account.visibleBytes)}) = ${gib(account.budgetBytes)}`,
      source: sources.budget,
    },
    ...weightTerms(input, account),
    ...restTerms(input, account, overhead),
    ...cacheTerms(input, account),
    ...figureTerms(input, account),
  ];
}

/** Bytes of all terms that take memory: the whole GPU, to the byte. */
export function totalBytes(terms: readonly Term[]): MemoryPerGpu["total"] {
  return terms.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}
