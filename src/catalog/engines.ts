// What is known of vLLM by version: which are safe to run, the defaults that drift, and how much memory each one's
// start-up profile takes. Sources: vLLM's sources and public start-up logs; what is derived and not measured says so.
import type { GpuArchitecture } from "./gpus.ts";

/** `[major, minor, patch]`. */
export type EngineVersion = readonly [number, number, number];

/** Parses `0.32.0`; `undefined` where it is no such version. */
export function parseEngineVersion(version: string): EngineVersion | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Below zero where `one` is older than `other`, zero where they are the same. */
export function compareVersions(one: EngineVersion, other: EngineVersion): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/** Older ones have holes that let a request run code in the engine. */
export const oldestSafeVersion = "0.22.1";
/** The newest version whose sources the overhead rules were read from. */
export const newestKnownVersion = "0.33.0";
/** The version that `spec.engine.version` defaults to. */
export const defaultVersion = "0.32.0";

/** The engine's published image of one version. */
export function engineImage(version: string): string {
  return `vllm/vllm-openai:v${version}`;
}

/** Tokens of one KV block on NVIDIA GPUs; vLLM's default. */
export const blockSizeTokens = 16;

/** Memory that start-up takes besides weights and KV cache: the rule of one range of versions. */
export interface OverheadRegime {
  readonly name: string;
  /** First version of the range. */
  readonly since: EngineVersion;
  /** First version of the range for quantised checkpoints, where those follow later. */
  readonly sinceQuantised?: EngineVersion;
  /**
   * "profiled": the profile samples rows over the whole vocabulary in fp32, `samplerUnits` x U, where
   * U = min(max-num-seqs, max-num-batched-tokens) x vocabulary x 4 B.
   * "persistent": V2's sampler state of 1.03 U on the last stage, and the larger of forward pass and BF16 logits.
   */
  readonly sampler: "profiled" | "persistent";
  /** For "profiled": multiples of U with one rank and with several. */
  readonly samplerUnits: { readonly alone: number; readonly tensorParallel: number };
  /** CUDA graphs are estimated and taken off the budget. */
  readonly countsGraphs: boolean;
  readonly defaultGpuMemoryUtilization: number;
  /** From start-up logs, or from sources alone. */
  readonly evidence: "measured" | "derived";
  /** Bytes a GPU that planning leaves free because the rule may be off by as much. */
  readonly marginBytes: number;
}

const gibibyte = 2 ** 30;

/**
 * Oldest first. The V1 multiples fit public logs of 0.11 to 0.18 within 1.5 %; graphs are subtracted since 0.20
 * (PR 30515); for the V2 model runner, the default for Llama since 0.23, no public log of a Llama was found.
 */
export const overheadRegimes: readonly OverheadRegime[] = [
  {
    name: "V1 0.8.4 to 0.16",
    since: [0, 8, 4],
    sampler: "profiled",
    samplerUnits: { alone: 9.7, tensorParallel: 9.7 },
    countsGraphs: false,
    defaultGpuMemoryUtilization: 0.9,
    evidence: "measured",
    marginBytes: 0.25 * gibibyte,
  },
  {
    name: "V1 0.17 to 0.19",
    since: [0, 17, 0],
    sampler: "profiled",
    samplerUnits: { alone: 4.4, tensorParallel: 7 },
    countsGraphs: false,
    defaultGpuMemoryUtilization: 0.9,
    evidence: "measured",
    marginBytes: 0.25 * gibibyte,
  },
  {
    name: "V1 0.20 to 0.22",
    since: [0, 20, 0],
    sampler: "profiled",
    samplerUnits: { alone: 4.4, tensorParallel: 7 },
    countsGraphs: true,
    defaultGpuMemoryUtilization: 0.92,
    evidence: "derived",
    marginBytes: 0.5 * gibibyte,
  },
  {
    name: "V2 0.23 to 0.25",
    since: [0, 23, 0],
    sinceQuantised: [0, 25, 0],
    sampler: "persistent",
    samplerUnits: { alone: 1.03, tensorParallel: 1.03 },
    // The estimate returned 0, so the graphs come out of what is free: planning takes them off all the same.
    countsGraphs: true,
    defaultGpuMemoryUtilization: 0.92,
    evidence: "derived",
    marginBytes: 1 * gibibyte,
  },
  {
    name: "V2 0.26 and later",
    since: [0, 26, 0],
    sampler: "persistent",
    samplerUnits: { alone: 1.03, tensorParallel: 1.03 },
    countsGraphs: true,
    defaultGpuMemoryUtilization: 0.92,
    evidence: "derived",
    marginBytes: 1 * gibibyte,
  },
];

/** Added to the margin for a version newer than any that was read. */
export const unknownVersionMarginBytes = 1 * gibibyte;

/** The rule for a version; quantised checkpoints moved to the V2 model runner later. `undefined` before 0.8.4. */
export function overheadRegime(version: EngineVersion, quantised: boolean): OverheadRegime | undefined {
  return overheadRegimes.findLast((regime) => {
    const since = quantised ? (regime.sinceQuantised ?? regime.since) : regime.since;
    return compareVersions(version, since) >= 0;
  });
}

/** `max-num-seqs` and `max-num-batched-tokens` of a GPU where nobody sets them. */
export interface BatchDefaults {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
}

/** Defaults by device memory (0.32): 160 GiB and more, 70 GiB and more but not A100, all others. */
export function batchDefaults(gpu: {
  readonly visibleBytes: number;
  readonly architecture: GpuArchitecture;
}): BatchDefaults {
  if (gpu.visibleBytes >= 160 * gibibyte) return { maxNumSeqs: 1024, maxNumBatchedTokens: 16_384 };
  if (gpu.visibleBytes >= 70 * gibibyte && gpu.architecture !== "ampere") {
    return { maxNumSeqs: 1024, maxNumBatchedTokens: 8192 };
  }
  return { maxNumSeqs: 256, maxNumBatchedTokens: 2048 };
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
  // Its kernels use another FP8 than NVIDIA's; nothing was measured.
  cdna3: undefined,
};

/** Whether an engine of that version may keep its KV cache in FP8 on such GPUs. */
export function supportsFp8KvCache(version: EngineVersion, architecture: GpuArchitecture): boolean {
  const since = fp8KvCacheSince[architecture];
  return since !== undefined && compareVersions(version, since) >= 0;
}
