// How much of a GPU vLLM's start takes besides weights and KV cache, by range of versions. No single constant holds:
// the sampler's profile, the graphs and what torch does not see changed several times between 0.4 and 0.32.
// Fitted on public start-up logs (docs/memory-model.md lists them); what rests on sources alone is called derived.
import { compareVersions } from "./version.ts";
import type { EngineVersion } from "./version.ts";

const gibibyte = 2 ** 30;

/** The sampler's part in the profile. U = min(max-num-seqs, max-num-batched-tokens) x vocabulary x 4 B. */
export type SamplerRule =
  /** A dummy run over the whole vocabulary in fp32, `units` x U at its peak: logits, sorted copies, indices, sums. */
  | {
      readonly kind: "profiled";
      readonly units: number;
      /** The hidden states of the whole step stay alive meanwhile (tokens x hidden size x 2 B). */
      readonly keepsHiddenStates: boolean;
      /** Nothing is sampled in the profile where the longest request is split into chunks by default. */
      readonly skippedWhenChunked: boolean;
    }
  /** V2's sampler state, kept for good on the last stage, and the BF16 logits of a step. */
  | { readonly kind: "persistent"; readonly units: number };

/** Memory inside the budget that torch's allocator does not see, in bytes. */
export interface OutsideTorch {
  readonly alone: number;
  /** With several ranks, before what each of them adds: NCCL's channels, custom all-reduce. */
  readonly several: number;
  readonly perRank: number;
}

/** The rule of one range of versions. */
export interface VllmRegime {
  readonly name: string;
  /** First version of the range. */
  readonly since: EngineVersion;
  /** First version of the range for quantised checkpoints, where those follow later. */
  readonly sinceQuantised?: EngineVersion;
  /** "eager": V0 ran the layers as they are written; "compiled": torch.compile fuses them. */
  readonly forward: "eager" | "compiled";
  readonly sampler: SamplerRule;
  readonly outsideTorch: OutsideTorch;
  /** The same on ROCm, where it differs. */
  readonly outsideTorchOnRocm?: OutsideTorch;
  /** CUDA graphs are estimated and taken off the budget. */
  readonly countsGraphs: boolean;
  readonly defaultGpuMemoryUtilization: number;
  /** From start-up logs, or from sources alone. */
  readonly evidence: "measured" | "derived";
  /** Bytes a GPU that planning leaves free because the rule may be off by as much. */
  readonly marginBytes: number;
}

/** 0.05 to 0.14 GiB with one rank, 0.55 with two, 0.66 with four, in logs of 0.11 to 0.13 on H100 and H200. */
const v1OutsideTorch: OutsideTorch = {
  alone: 0.1 * gibibyte,
  several: 0.44 * gibibyte,
  perRank: 0.055 * gibibyte,
};

/**
 * V0 profiled one step of whole prompts, sampler and all; above 32,768 tokens it split prompts by itself, and then its
 * profile sampled nothing: 0.06 GiB over the weights at 35,000 tokens, where 29,000 took 2.99 (vllm-project/vllm#10517).
 */
const v0 = {
  forward: "eager",
  sampler: { kind: "profiled", units: 9.8, keepsHiddenStates: true, skippedWhenChunked: true },
  // 0.02 to 0.35 GiB with one rank; 0.74 with two on A800, 2.10 with eight on A100.
  outsideTorch: { alone: 0.25 * gibibyte, several: 0.3 * gibibyte, perRank: 0.225 * gibibyte },
  // 5.6 GiB with eight ranks on MI300X.
  outsideTorchOnRocm: { alone: 0.45 * gibibyte, several: 0.3 * gibibyte, perRank: 0.66 * gibibyte },
  countsGraphs: false,
  defaultGpuMemoryUtilization: 0.9,
  evidence: "measured",
  marginBytes: 0.5 * gibibyte,
} as const;

const onlyLogits = { keepsHiddenStates: false, skippedWhenChunked: false } as const;

/** The profile peaked at 4.84 GiB with 1,024 rows and at 1.2 with 256, whatever the model: 9.87 U. */
const fullSampler = { kind: "profiled", units: 9.87, ...onlyLogits } as const;

/** Since 0.17 the profile samples with fewer copies: 0.56 GiB in all with 256 rows on one GPU. */
const leanSampler = { kind: "profiled", units: 4.2, ...onlyLogits } as const;

/** One log with several ranks exists (0.18.0, tensor 4): 1.42 GiB more than the same sampler and NCCL explain. */
const leanOutsideTorch: OutsideTorch = { ...v1OutsideTorch, several: 1.86 * gibibyte };

const persistentSampler = { kind: "persistent", units: 1.03 } as const;

/** The V2 model runner; from its sources alone. */
const v2 = {
  forward: "compiled",
  sampler: persistentSampler,
  outsideTorch: v1OutsideTorch,
  countsGraphs: true,
  defaultGpuMemoryUtilization: 0.92,
  evidence: "derived",
  marginBytes: 1 * gibibyte,
} as const;

/** Oldest first. */
export const vllmRegimes: readonly VllmRegime[] = [
  { ...v0, name: "V0 0.4 to 0.6.4", since: [0, 4, 0] },
  {
    ...v0,
    name: "V0 0.6.5 and 0.6.6",
    since: [0, 6, 5],
    // Whatever had become less free was counted, the context too: 1.79 and 3.58 GiB on H100 (PR 10511 to PR 12126).
    outsideTorch: { alone: 1.79 * gibibyte, several: 3.58 * gibibyte, perRank: 0 },
  },
  {
    ...v0,
    name: "V0 0.7",
    since: [0, 7, 0],
    // 0.05 and 0.06 GiB on A10 and T4.
    outsideTorch: { ...v0.outsideTorch, alone: 0.06 * gibibyte },
  },
  {
    name: "V1 0.8 to 0.16",
    since: [0, 8, 0],
    forward: "compiled",
    sampler: fullSampler,
    outsideTorch: v1OutsideTorch,
    countsGraphs: false,
    defaultGpuMemoryUtilization: 0.9,
    evidence: "measured",
    marginBytes: 0.25 * gibibyte,
  },
  {
    name: "V1 0.17 to 0.19",
    since: [0, 17, 0],
    forward: "compiled",
    sampler: leanSampler,
    outsideTorch: leanOutsideTorch,
    countsGraphs: false,
    defaultGpuMemoryUtilization: 0.9,
    evidence: "measured",
    marginBytes: 0.25 * gibibyte,
  },
  {
    name: "V1 0.20 to 0.22",
    since: [0, 20, 0],
    forward: "compiled",
    sampler: leanSampler,
    outsideTorch: leanOutsideTorch,
    // Estimated since PR 30515.
    countsGraphs: true,
    defaultGpuMemoryUtilization: 0.92,
    evidence: "derived",
    marginBytes: 0.5 * gibibyte,
  },
  // Its own estimate of the graphs returned 0, so they come out of what is free: planning takes them off all the same.
  { ...v2, name: "V2 0.23 to 0.25", since: [0, 23, 0], sinceQuantised: [0, 25, 0] },
  { ...v2, name: "V2 0.26 and later", since: [0, 26, 0] },
];

/** Added to the margin for a version newer than any that was read. */
export const unknownVersionMarginBytes = 1 * gibibyte;

/** The rule for a version; quantised checkpoints moved to the V2 model runner later. `undefined` before 0.4. */
export function vllmRegime(version: EngineVersion, quantised: boolean): VllmRegime | undefined {
  return vllmRegimes.findLast((regime) => {
    const since = quantised ? (regime.sinceQuantised ?? regime.since) : regime.since;
    return compareVersions(version, since) >= 0;
  });
}
