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
      /** Copies of the hidden states of the sampled rows that stay alive beside those of the whole step. */
      readonly sampledHiddenStates: number;
      /** Nothing is sampled in the profile where the longest request is split into chunks by default. */
      readonly skippedWhenChunked: boolean;
    }
  /** V2's sampler state, kept for good on the last stage, and the BF16 logits of a step. */
  | { readonly kind: "persistent"; readonly units: number };

/** Memory inside the budget that torch's allocator does not see, in bytes. */
export interface OutsideTorch {
  /** One rank: what CUDA loads kernels into. */
  readonly alone: number;
  /** The same from compute capability 9.0 on, whose kernels are larger; absent where no log tells them apart. */
  readonly aloneFromHopper?: number;
  /** Several ranks on NVLink or Infinity Fabric, before what each of them adds: NCCL's channels, custom all-reduce. */
  readonly several: number;
  readonly perRank: number;
  /** Several ranks on PCIe alone take no more than one. */
  readonly freeOnPcie?: boolean;
}

/** What a rule rests on, and what planning leaves free because it may be off by as much. */
export interface Trust {
  /** From start-up logs, or from sources alone. */
  readonly evidence: "measured" | "derived";
  /** Bytes of each GPU. */
  readonly marginBytes: number;
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
  /** Bytes that the profile takes more on ROCm than on CUDA. */
  readonly profileOnRocmBytes: number;
  /** CUDA graphs are estimated and taken off the budget; else they are captured into what lies outside it. */
  readonly countsGraphs: boolean;
  /** What torch.compile allocates where its cache is cold is charged as if each step needed it. */
  readonly chargesColdCompile: boolean;
  readonly defaultGpuMemoryUtilization: number;
  readonly trust: {
    readonly alone: Trust;
    /** With several ranks, and with one beyond what its logs ran. */
    readonly several: Trust;
    /** The most sequences of a logged start with one rank, where those logs are few. */
    readonly aloneUpToSequences?: number;
  };
}

/**
 * 0.13 GiB with one rank in three logs of H100, 0.02 to 0.08 in six of A6000, L4, RTX 3090 and L40S; 0.55 with two ranks
 * and 0.66 with four on NVLink (0.11 to 0.16); 0.03 with two L40S on PCIe (0.16).
 */
const v1OutsideTorch: OutsideTorch = {
  alone: 0.05 * gibibyte,
  aloneFromHopper: 0.13 * gibibyte,
  several: 0.44 * gibibyte,
  perRank: 0.055 * gibibyte,
  freeOnPcie: true,
};

const measured = (marginGib: number): Trust => ({
  evidence: "measured",
  marginBytes: marginGib * gibibyte,
});
const derived = (marginGib: number): Trust => ({ evidence: "derived", marginBytes: marginGib * gibibyte });

/**
 * V0 profiled one step of whole prompts, sampler and all; above 32,768 tokens it split prompts by itself, and then its
 * profile sampled nothing: 0.06 GiB over the weights at 35,000 tokens, where 29,000 took 2.99 (vllm-project/vllm#10517).
 */
const v0 = {
  forward: "eager",
  sampler: { kind: "profiled", units: 9.8, sampledHiddenStates: 0, skippedWhenChunked: true },
  // 0.02 to 0.35 GiB with one rank; 0.74 with two on A800, 2.10 with eight on A100.
  outsideTorch: { alone: 0.25 * gibibyte, several: 0.3 * gibibyte, perRank: 0.225 * gibibyte },
  // 5.6 GiB with eight ranks on MI300X.
  outsideTorchOnRocm: { alone: 0.45 * gibibyte, several: 0.3 * gibibyte, perRank: 0.66 * gibibyte },
  profileOnRocmBytes: 1.1 * gibibyte,
  countsGraphs: false,
  chargesColdCompile: false,
  defaultGpuMemoryUtilization: 0.9,
  // Off by up to 0.6 GiB with one rank (MI300X), and by 2.8 with eight (405B on 0.4.3).
  trust: { alone: measured(0.7), several: measured(3) },
} as const;

/** Hidden states of the step, and those of the sampled rows twice. */
const v1Sampler = { kind: "profiled", sampledHiddenStates: 2, skippedWhenChunked: false } as const;

/**
 * BF16 logits and their fp32 copy, sorted values and their 64-bit indices, soft-max and sums. Three debug logs of 0.11 on
 * H100 say 4.76, 4.84 and 5.56 GiB (8B, 70B, a model of another vocabulary): 9.5 U, the hidden states, cuBLAS's 32 MiB.
 */
const fullSampler = { ...v1Sampler, units: 9.5 } as const;

/** Since 0.17 the profile samples with fewer copies: 0.56 GiB in all with 256 rows on one GPU. */
const leanSampler = { ...v1Sampler, units: 4 } as const;

/** Logs of four ranks (0.18 to 0.20) take 1.3 GiB more than the same sampler and NCCL explain. */
const leanOutsideTorch: OutsideTorch = { ...v1OutsideTorch, several: 1.78 * gibibyte };

const persistentSampler = { kind: "persistent", units: 1.03 } as const;

/** A 70B alone on an MI300X, 0.18.0, in BF16 and in FP8. */
const profileOnRocmBytes = 0.9 * gibibyte;

const v1 = {
  forward: "compiled",
  sampler: fullSampler,
  outsideTorch: v1OutsideTorch,
  profileOnRocmBytes,
  countsGraphs: false,
  chargesColdCompile: false,
  defaultGpuMemoryUtilization: 0.9,
  trust: { alone: measured(0.25), several: measured(0.35) },
} as const;

/** The V2 model runner; logs of it exist with one rank and 256 sequences alone. */
const v2 = {
  forward: "compiled",
  sampler: persistentSampler,
  outsideTorch: v1OutsideTorch,
  profileOnRocmBytes,
  chargesColdCompile: true,
  defaultGpuMemoryUtilization: 0.92,
  trust: { alone: measured(0.5), several: derived(1), aloneUpToSequences: 256 },
} as const;

/** Oldest first. */
export const vllmRegimes: readonly VllmRegime[] = [
  { ...v0, name: "V0 0.4 to 0.6.4", since: [0, 4, 0] },
  {
    ...v0,
    name: "V0 0.6.5 and 0.6.6",
    since: [0, 6, 5],
    // 0.10 to 0.28 GiB with one rank in three logs, vllm-project/vllm#12330 among them.
    outsideTorch: { ...v0.outsideTorch, alone: 0.17 * gibibyte },
  },
  {
    ...v0,
    name: "V0 0.7",
    since: [0, 7, 0],
    // 0.05 and 0.06 GiB on A10 and T4.
    outsideTorch: { ...v0.outsideTorch, alone: 0.06 * gibibyte },
  },
  { ...v1, name: "V1 0.8 to 0.16", since: [0, 8, 0] },
  {
    ...v1,
    name: "V1 0.17 to 0.19",
    since: [0, 17, 0],
    sampler: leanSampler,
    outsideTorch: leanOutsideTorch,
  },
  {
    ...v1,
    name: "V1 0.20 to 0.22",
    since: [0, 20, 0],
    sampler: leanSampler,
    outsideTorch: leanOutsideTorch,
    // Estimated since vllm-project/vllm#30515.
    countsGraphs: true,
    chargesColdCompile: true,
    defaultGpuMemoryUtilization: 0.92,
    trust: { alone: measured(0.5), several: measured(0.5) },
  },
  // Its estimate of the graphs was a stub that returned 0, until vllm-project/vllm#53306 of August 2026.
  { ...v2, name: "V2 0.23 to 0.28", since: [0, 23, 0], sinceQuantised: [0, 25, 0], countsGraphs: false },
  { ...v2, name: "V2 0.29 and later", since: [0, 29, 0], countsGraphs: true },
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

/** What a rule rests on with so many ranks and sequences. */
export function trustIn({ trust }: VllmRegime, ranks: number, maxNumSeqs: number): Trust {
  const isLogged = maxNumSeqs <= (trust.aloneUpToSequences ?? maxNumSeqs);
  return ranks === 1 && isLogged ? trust.alone : trust.several;
}

/**
 * The rule where the log says "Using FlashInfer for top-p & top-k sampling", as builds of 0.8 to 0.11.0 that ship it do: an
 * 8B of 0.8.2 with 1,024 rows and LoRA took 2.2 GiB in all, where the full profile takes 4.7.
 */
export function withFlashInferSampler(regime: VllmRegime): VllmRegime {
  return regime.sampler === fullSampler ? { ...regime, sampler: leanSampler } : regime;
}
