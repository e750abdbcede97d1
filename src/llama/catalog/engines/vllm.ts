// What is known of vLLM by version: which are safe to run, and the defaults that drift. What its start takes of a
// GPU is in vllm-regimes.ts. Source: vLLM's sources at the versions named.
import type { Gpu, GpuArchitecture, GpuVendor } from "../gpus.ts";
import { compareVersions } from "./version.ts";
import type { EngineVersion } from "./version.ts";

const gibibyte = 2 ** 30;

/** Older ones have holes that let a request run code in the engine. */
export const oldestSafeVersion = "0.22.1";
/** The newest version whose sources the overhead rules were read from. */
export const newestKnownVersion = "0.33.0";
/** The version that `spec.engine.version` defaults to. */
export const defaultVersion = "0.32.0";

/** The engine's published image of one version, for the GPUs of a vendor. */
export function engineImage(version: string, vendor: GpuVendor): string {
  return `vllm/vllm-openai${vendor === "amd" ? "-rocm" : ""}:v${version}`;
}

/** Tokens of one KV block on NVIDIA GPUs; vLLM's default. */
export const blockSizeTokens = 16;

/** `max-num-seqs` and `max-num-batched-tokens` of a GPU where the spec does not set them. */
export interface BatchDefaults {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
}

/** What decides the defaults of one start. */
export interface BatchDefaultsInput {
  readonly gpu: Pick<Gpu, "visibleBytes" | "architecture">;
  readonly version: EngineVersion;
  /** Tokens of the longest request: before 0.8 a step took one whole. */
  readonly maxModelLen: number;
}

/** First version with the V1 engine on. */
const firstV1: EngineVersion = [0, 8, 0];
/** Until then an A100 with 80 GB started as an H100 does. */
const firstWithoutA100: EngineVersion = [0, 9, 0];
/** Until then V1 took 1,024 sequences on every GPU. */
const firstV1WithTiers: EngineVersion = [0, 8, 4];
/** Beyond this, V0 split prompts into chunks by itself. Source: EngineArgs.create_engine_config, 0.5.4 to 0.7. */
const v0ChunksBeyondTokens = 32_768;
/** Tokens of such a chunk, until 0.6.4 and from then on; and of the shortest step without chunks. */
const firstLongChunks: EngineVersion = [0, 6, 5];
const v0Chunk = { short: 512, long: 2048 } as const;

/**
 * `max-num-seqs` and `max-num-batched-tokens` of `vllm serve` where its command line does not set them. Source: EngineArgs, by version;
 * 0.32 by device memory: 160 GiB and more, 70 GiB and more but not A100, all others.
 */
export function batchDefaults({ gpu, version, maxModelLen }: BatchDefaultsInput): BatchDefaults {
  if (compareVersions(version, firstV1) < 0) {
    const chunk = compareVersions(version, firstLongChunks) < 0 ? v0Chunk.short : v0Chunk.long;
    // Public logs of V0 on ROCm ran without chunks, which takes more: planned so, on the safe side.
    const splits = maxModelLen > v0ChunksBeyondTokens && gpu.architecture !== "cdna3";
    const maxNumBatchedTokens = splits ? chunk : Math.max(maxModelLen, v0Chunk.long);
    return { maxNumSeqs: 256, maxNumBatchedTokens };
  }
  if (gpu.visibleBytes >= 160 * gibibyte) return { maxNumSeqs: 1024, maxNumBatchedTokens: 16_384 };
  const isLarge = gpu.architecture !== "ampere" || compareVersions(version, firstWithoutA100) < 0;
  if (gpu.visibleBytes >= 70 * gibibyte && isLarge) {
    return { maxNumSeqs: 1024, maxNumBatchedTokens: 8192 };
  }
  const maxNumSeqs = compareVersions(version, firstV1WithTiers) < 0 ? 1024 : 256;
  return { maxNumSeqs, maxNumBatchedTokens: 2048 };
}

/**
 * First version whose FP8 KV cache is sound on each architecture. On Hopper 128K retrieval fell from 91 % to 13 %
 * before 0.19.1 (vLLM blog, 2026-04-22); Ampere has no kernels for e4m3.
 */
const fp8KvCacheSince: Readonly<Record<GpuArchitecture, EngineVersion | undefined>> = {
  ampere: undefined,
  ada: [0, 8, 4],
  hopper: [0, 19, 1],
  blackwell: [0, 19, 1],
  // From when logs of FP8 caches on MI300X exist (0.18.0); its FP8 is another than NVIDIA's.
  cdna3: [0, 18, 0],
};

/** Whether an engine of that version may keep its KV cache in FP8 on such GPUs. */
export function supportsFp8KvCache(version: EngineVersion, architecture: GpuArchitecture): boolean {
  const since = fp8KvCacheSince[architecture];
  return since !== undefined && compareVersions(version, since) >= 0;
}
