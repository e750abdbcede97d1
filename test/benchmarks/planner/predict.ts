// What the planner says of a logged start, from its names and settings alone.
import { compareVersions, parseEngineVersion } from "../../../src/llama/catalog/engines/version.ts";
import type { EngineVersion } from "../../../src/llama/catalog/engines/version.ts";
import { newestKnownSglang, oldestKnownSglang, sglangMemoryFraction } from "./sglang-defaults.ts";
import {
  batchDefaults,
  blockSizeTokens,
  newestKnownVersion,
} from "../../../src/llama/catalog/engines/vllm.ts";
import {
  trustIn,
  unknownVersionMarginBytes,
  vllmRegime,
  vllmRegimes,
  withFlashInferSampler,
} from "../../../src/llama/catalog/engines/vllm-regimes.ts";
import { findGpu, type Gpu } from "../../../src/llama/catalog/gpus.ts";
import type { Architecture } from "../../../src/llama/catalog/models.ts";
import { findArchitecture } from "../../../src/llama/catalog/relatives.ts";
import {
  awqLayout,
  bf16Layout,
  fbgemmLayout,
  fp8DynamicLayout,
  fp8Layout,
  fp8ModeloptLayout,
  gptqLayout,
  int4Layout,
  int8Layout,
  type WeightLayout,
} from "../../../src/llama/catalog/weight-bytes.ts";
import { kvBytesPerToken } from "../../../src/llama/planning/memory/kv-cache.ts";
import { llamaCppKvCache } from "./llama-cpp.ts";
import { accountMemory } from "../../../src/llama/planning/memory/memory.ts";
import { sglangContextBytes, sglangKvTokens } from "./sglang.ts";
import type { LogRow } from "./log-row.ts";

const gibibyte = 2 ** 30;

export interface Prediction {
  /** Rule that was used; says where the version, model or engine lies outside what is known. */
  readonly regime: string;
  readonly tokens: number;
  /** Tokens that it promises at least. */
  readonly atLeast: number;
  /** Rows whose constants are the same: the regime, and how ranks are joined. */
  readonly group: string;
  /** Bytes of one token on each GPU of the fullest stage. */
  readonly bytesPerToken: number;
  /** The planner would let it start. */
  readonly promised: boolean;
}

interface Subject {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly gpu: Pick<Gpu, "visibleBytes" | "architecture" | "computeCapability" | "nvlink">;
  readonly kvCache: "bf16" | "fp8";
}

type GpuFacts = Subject["gpu"];

/** By words in the names of repositories and of the column. */
const layoutWords: readonly (readonly [RegExp, WeightLayout])[] = [
  [/fbgemm/, fbgemmLayout],
  [/awq/, awqLayout],
  [/gptq/, gptqLayout],
  [/w4a16|int4|4bit/, int4Layout],
  [/int8|w8a8(?!.*fp8)|w8a16/, int8Layout],
  [/fp8.*dynamic/, fp8DynamicLayout],
  [/modelopt|nvidia/, fp8ModeloptLayout],
  [/fp8|e4m3|q8_0/, fp8Layout],
  [/.*/, bf16Layout],
];

function layoutOf(checkpoint: string): WeightLayout {
  return layoutWords.find(([words]) => words.test(checkpoint.toLowerCase()))?.[1] ?? bf16Layout;
}

/** The first upload of the 405B had 16 key-value heads; some call it after its eight times two shards. */
const sixteenHeads = /-?(mp16|16-?kv(-?heads)?)/;

/** `llama-3.1-8b` in `meta-llama/Llama-3.1-8B-Instruct`, `hermes-3-llama-3.1-8b`, `llama3.1-8b` and the like. */
const llamaWithin = /llama-?(\d(?:\.\d)?)-(\d+b)(?![a-z0-9])/;

function architectureOf({ model, checkpoint }: LogRow): Architecture | undefined {
  const name = (model.split("/").at(-1) ?? "").toLowerCase().replace(sixteenHeads, "");
  const [, series, size] = llamaWithin.exec(name) ?? [];
  const architecture =
    findArchitecture(name) ??
    (series === undefined ? undefined : findArchitecture(`llama-${series}-${size}`));
  const has16 = sixteenHeads.test(`${model} ${checkpoint}`.toLowerCase());
  return architecture && has16 ? { ...architecture, keyValueHeads: 16 } : architecture;
}

/** Of a GPU that the catalog lacks: what its name says of its kind. */
const kindsByName: readonly (readonly [RegExp, Pick<Gpu, "architecture" | "computeCapability">])[] = [
  [/^(h|gh)\d/, { architecture: "hopper", computeCapability: "9.0" }],
  [/^(b|gb)\d/, { architecture: "blackwell", computeCapability: "10.0" }],
  [/^(mi)\d/, { architecture: "cdna3" }],
  [/^(rtx-?)?a\d|^rtx-?30/, { architecture: "ampere", computeCapability: "8.6" }],
  [/.*/, { architecture: "ada", computeCapability: "8.9" }],
];

/** `RTX3090-24GB` as clouds write it: `rtx-3090`, with and without the memory at its end. */
function spellings(name: string): readonly string[] {
  const plain = name
    .toLowerCase()
    .replaceAll(/[ _]/g, "-")
    .replace(/^(rtx)-?(?=\d)/, "$1-");
  const family = plain.replace(/-\d+gb$/, "");
  return [plain, family, family.split("-")[0] ?? ""];
}

function gpuOf({ gpu: name, visible_gib: visibleGib }: LogRow): GpuFacts | undefined {
  const known = spellings(name)
    .flatMap((word) => [word, `nvidia-${word}`, `amd-${word}`])
    .map(findGpu)
    .find((gpu) => gpu !== undefined);
  const visibleBytes = visibleGib === undefined ? known?.visibleBytes : Math.floor(visibleGib * gibibyte);
  if (visibleBytes === undefined) return undefined;
  if (known !== undefined) return { ...known, visibleBytes };
  const kind = kindsByName.find(([words]) => words.test(name.toLowerCase()))?.[1];
  return { architecture: "ada", ...kind, visibleBytes, nvlink: "none" };
}

function unknown(what: string): Prediction {
  return {
    regime: `unknown ${what}: no plan`,
    tokens: 0,
    atLeast: 0,
    group: what,
    bytesPerToken: 1,
    promised: false,
  };
}

const outside = (rule: string, engine: string): string => `${rule} (${engine} is outside what is known)`;

function predictVllm(row: LogRow, { architecture, layout, gpu, kvCache }: Subject, version: EngineVersion) {
  const quantised = layout !== bf16Layout;
  const newest = parseEngineVersion(newestKnownVersion) ?? version;
  const known = vllmRegime(version, quantised);
  const isKnown = known !== undefined && compareVersions(version, newest) <= 0;
  const [oldest] = vllmRegimes;
  const rule = known ?? oldest;
  if (rule === undefined) return unknown("engine version");
  const regime = row.flashinfer_sampler === true ? withFlashInferSampler(rule) : rule;
  // Before 0.4 a start took up to 12 GiB of an 80 GB card more than any rule says (vllm-project/vllm#2031).
  const unknownBytes = isKnown
    ? 0
    : known === undefined
      ? 0.16 * gpu.visibleBytes
      : unknownVersionMarginBytes;
  const defaults = batchDefaults({ gpu, version, maxModelLen: row.max_model_len });
  const maxNumSeqs = row.max_num_seqs ?? defaults.maxNumSeqs;
  const { tensor_parallel: tensor, pipeline_parallel: pipeline } = row;
  const { max_cudagraph_capture_size: largestGraph, compile_cache: compileCache } = row;
  const account = accountMemory({
    architecture,
    layout,
    tensor,
    pipeline,
    kvCache,
    gpu,
    regime,
    marginBytes: trustIn(regime, tensor * pipeline, maxNumSeqs).marginBytes + unknownBytes,
    limits: {
      maxModelLen: row.max_model_len,
      maxNumSeqs,
      maxNumBatchedTokens: row.max_num_batched_tokens ?? Math.max(defaults.maxNumBatchedTokens, maxNumSeqs),
      gpuMemoryUtilization: row.gpu_memory_utilization ?? regime.defaultGpuMemoryUtilization,
      blockSize: blockSizeTokens,
    },
    eager: row.enforce_eager ?? false,
    ...(largestGraph === undefined ? {} : { largestGraph }),
    ...(compileCache === undefined ? {} : { compileCache }),
    minConcurrency: 1,
  });
  const fromHopper = Number(gpu.computeCapability ?? "0") >= 9;
  const ranks = tensor * pipeline === 1 ? `one rank${fromHopper ? " from Hopper on" : ""}` : "several ranks";
  const joined = `${gpu.architecture === "cdna3" ? "ROCm, " : ""}${ranks}${ranks === "several ranks" && gpu.nvlink === "none" ? " on PCIe" : ""}`;
  return {
    regime: isKnown ? regime.name : outside(regime.name, `vLLM ${row.engine_version}`),
    tokens: isKnown ? account.expectedKvCacheTokens : account.kvCacheTokens,
    atLeast: account.kvCacheTokens,
    group: `${regime.name}, ${joined}`,
    bytesPerToken: account.blockBytes / blockSizeTokens,
    promised: account.fits,
  };
}

function predictSglang(row: LogRow, subject: Subject, version: EngineVersion): Prediction {
  const { tensor_parallel: tensor, pipeline_parallel: pipeline } = row;
  const { architecture, layout, kvCache, gpu } = subject;
  const isKnown =
    compareVersions(version, oldestKnownSglang) >= 0 && compareVersions(version, newestKnownSglang) <= 0;
  const context = tensor * pipeline === 1 ? sglangContextBytes.alone : sglangContextBytes.several;
  // SGLang logs what is free once its context is there, never the card's whole memory.
  const freeBytes = row.visible_gib === undefined ? gpu.visibleBytes - context : gpu.visibleBytes;
  const capacityMib = (gpu.visibleBytes + context) / 2 ** 20;
  const tokens = sglangKvTokens({
    architecture,
    layout,
    tensor,
    pipeline,
    kvCache,
    freeBytes,
    memoryFraction:
      row.gpu_memory_utilization ?? sglangMemoryFraction({ version, capacityMib, tensor, pipeline }),
  });
  const bytesPerToken = kvBytesPerToken(
    architecture,
    Math.ceil(architecture.layers / pipeline),
    tensor,
    kvCache,
  );
  const margin = isKnown ? 0.25 * gibibyte : unknownVersionMarginBytes;
  const least = Math.max(0, tokens - Math.ceil(margin / bytesPerToken));
  return {
    regime: isKnown ? "SGLang" : outside("SGLang", `SGLang ${row.engine_version}`),
    tokens: isKnown ? tokens : least,
    atLeast: least,
    group: "SGLang",
    bytesPerToken,
    promised: least >= row.max_model_len,
  };
}

function predictLlamaCpp(row: LogRow, subject: Subject): Prediction {
  const { architecture, layout, kvCache, gpu } = subject;
  const cache = llamaCppKvCache({
    architecture,
    layout,
    kvCache,
    contextTokens: row.max_model_len,
    visibleBytes: gpu.visibleBytes * row.tensor_parallel,
  });
  return {
    regime: "llama.cpp",
    tokens: cache.tokens,
    atLeast: cache.tokens,
    group: "llama.cpp",
    bytesPerToken: cache.kvBytes / cache.tokens / row.tensor_parallel,
    promised: cache.onGpu,
  };
}

/** Plans the start of a row. Never reads what the engine reported. */
export function predict(row: LogRow): Prediction {
  const architecture = architectureOf(row);
  if (architecture === undefined) return unknown(`model ${row.model}`);
  const gpu = gpuOf(row);
  if (gpu === undefined) return unknown(`GPU ${row.gpu} without visible_gib`);
  const subject: Subject = {
    architecture,
    layout: layoutOf(row.checkpoint),
    gpu,
    kvCache: /fp8|e4m3|e5m2|q8/.test(row.kv_dtype.toLowerCase()) ? "fp8" : "bf16",
  };
  const engine = row.engine.toLowerCase();
  if (/llama\.?cpp|ollama/.test(engine)) return predictLlamaCpp(row, subject);
  const version = parseEngineVersion(
    /\d+\.\d+(\.\d+)?/.exec(row.engine_version)?.[0].replace(/^(\d+\.\d+)$/, "$1.0") ?? "",
  );
  const lastKnown = parseEngineVersion(newestKnownVersion);
  if (engine.includes("sglang")) return predictSglang(row, subject, version ?? [99, 0, 0]);
  if (engine.includes("vllm") && lastKnown !== undefined)
    return predictVllm(row, subject, version ?? [99, 0, 0]);
  return unknown(`engine ${row.engine}`);
}
