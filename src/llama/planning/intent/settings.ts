// The engine's settings that decide memory: its version's rules, and what the spec's own flags say of the batch.
import { compareVersions, parseEngineVersion } from "../../catalog/engines/version.ts";
import type { EngineVersion } from "../../catalog/engines/version.ts";
import { trustIn, unknownVersionMarginBytes, vllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import type { Trust, VllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import { newestKnownVersion, oldestSafeVersion } from "../../catalog/engines/vllm.ts";
import type { LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import type { AdditionalMemory } from "../memory/additional.ts";
import { refuse } from "../refusal.ts";
import { loraSlots, readSpeculation } from "./speculation.ts";
import type { Refusal } from "../plan.ts";

/** What the spec's `engine` says, read once. */
export interface EngineSettings {
  readonly version: EngineVersion;
  readonly versionText: string;
  /** Newer than any version whose rules are known. */
  readonly unknownVersion: boolean;
  /** `--max-num-seqs`, where the spec sets it. */
  readonly maxNumSeqs?: number;
  /** `--max-num-batched-tokens`, where the spec sets it. */
  readonly maxNumBatchedTokens?: number;
  /** `--gpu-memory-utilization`, where the spec sets it. */
  readonly gpuMemoryUtilization?: number;
  /** `--max-cudagraph-capture-size`, where the spec sets it. */
  readonly largestGraph?: number;
  /** `--enforce-eager`. */
  readonly eager: boolean;
  /** LoRA slots and speculative decoding. */
  readonly additional: AdditionalMemory;
  /** Flags of the spec that take GPU memory which planning does not count. */
  readonly uncounted: readonly string[];
}

/** Flags that take memory beside weights, KV cache and the overhead rules. */
const uncountedFlags: ReadonlySet<string> = new Set([
  "cudagraph-capture-sizes",
  "compilation-config",
  "max-logprobs",
]);

/** Flags of `engine.args` that a plan follows from. */
export const plannedFlags: ReadonlySet<string> = new Set([
  "max-num-seqs",
  "max-num-batched-tokens",
  "gpu-memory-utilization",
  "enforce-eager",
  "max-cudagraph-capture-size",
  "enable-lora",
  "max-loras",
  "max-lora-rank",
  "speculative-config",
  // A checkpoint that is deprecated is loaded with it alone.
  "allow-deprecated-quantization",
  ...uncountedFlags,
]);

type Parsed<T> = { readonly value?: T } | { readonly problem: string };

function parseCount(args: Readonly<Record<string, string>>, flag: string): Parsed<number> {
  const text = args[flag];
  if (text === undefined) return {};
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1) {
    return { problem: `engine.args.${flag} must be a whole number of at least 1, not "${text}"` };
  }
  return { value };
}

function parseShare(args: Readonly<Record<string, string>>, flag: string): Parsed<number> {
  const text = args[flag];
  if (text === undefined) return {};
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value <= 0 || value > 1) {
    return { problem: `engine.args.${flag} must be a number above 0 and at most 1, not "${text}"` };
  }
  return { value };
}

function parseSwitch(args: Readonly<Record<string, string>>, flag: string): Parsed<boolean> {
  const text = args[flag];
  if (text === undefined) return { value: false };
  if (text === "") return { value: true };
  return { problem: `engine.args.${flag} takes no value; write "", not "${text}"` };
}

/** Reads `spec.engine`; refuses versions that are unsafe and values that are no numbers. */
export function engineSettings(spec: LlamaDeploymentSpec): EngineSettings | Refusal {
  const { version: versionText, args } = spec.engine;
  const version = parseEngineVersion(versionText);
  if (version === undefined) {
    return refuse(
      "InvalidSpec",
      `engine.version must be three numbers, such as 0.32.0, not "${versionText}"`,
    );
  }
  const oldest = parseEngineVersion(oldestSafeVersion);
  const newest = parseEngineVersion(newestKnownVersion);
  if (oldest === undefined || compareVersions(version, oldest) < 0) {
    return refuse(
      "UnsupportedEngine",
      `vLLM ${versionText} is not safe to serve with: versions before ${oldestSafeVersion} let a request run code in the engine; the oldest that may run is ${oldestSafeVersion}`,
    );
  }

  const maxNumSeqs = parseCount(args, "max-num-seqs");
  const maxNumBatchedTokens = parseCount(args, "max-num-batched-tokens");
  const largestGraph = parseCount(args, "max-cudagraph-capture-size");
  const gpuMemoryUtilization = parseShare(args, "gpu-memory-utilization");
  const eager = parseSwitch(args, "enforce-eager");
  const lora = parseSwitch(args, "enable-lora");
  const maxLoras = parseCount(args, "max-loras");
  const maxLoraRank = parseCount(args, "max-lora-rank");
  const speculative = args["speculative-config"];
  const speculation = speculative === undefined ? undefined : readSpeculation(speculative);
  if ("problem" in maxNumSeqs) return refuse("InvalidSpec", maxNumSeqs.problem);
  if ("problem" in maxNumBatchedTokens) return refuse("InvalidSpec", maxNumBatchedTokens.problem);
  if ("problem" in largestGraph) return refuse("InvalidSpec", largestGraph.problem);
  if ("problem" in gpuMemoryUtilization) return refuse("InvalidSpec", gpuMemoryUtilization.problem);
  if ("problem" in eager) return refuse("InvalidSpec", eager.problem);
  if ("problem" in lora) return refuse("InvalidSpec", lora.problem);
  if ("problem" in maxLoras) return refuse("InvalidSpec", maxLoras.problem);
  if ("problem" in maxLoraRank) return refuse("InvalidSpec", maxLoraRank.problem);
  if (speculation?.kind === "problem") return refuse("InvalidSpec", speculation.problem);
  if (
    maxNumSeqs.value !== undefined &&
    maxNumBatchedTokens.value !== undefined &&
    maxNumBatchedTokens.value < maxNumSeqs.value
  ) {
    return refuse(
      "InvalidSpec",
      `engine.args.max-num-batched-tokens (${maxNumBatchedTokens.value}) must be at least max-num-seqs (${maxNumSeqs.value}): every running sequence needs a token a step`,
    );
  }

  const slots = loraSlots(lora.value ?? false, maxLoras.value, maxLoraRank.value);
  return {
    version,
    versionText,
    unknownVersion: newest !== undefined && compareVersions(version, newest) > 0,
    ...(maxNumSeqs.value === undefined ? {} : { maxNumSeqs: maxNumSeqs.value }),
    ...(maxNumBatchedTokens.value === undefined ? {} : { maxNumBatchedTokens: maxNumBatchedTokens.value }),
    ...(largestGraph.value === undefined ? {} : { largestGraph: largestGraph.value }),
    ...(gpuMemoryUtilization.value === undefined ? {} : { gpuMemoryUtilization: gpuMemoryUtilization.value }),
    eager: eager.value ?? false,
    additional: {
      ...(slots === undefined ? {} : { lora: slots }),
      ...(speculation?.kind === "counted" ? { speculation: speculation.speculation } : {}),
    },
    uncounted: [
      ...Object.keys(args).filter((flag) => uncountedFlags.has(flag)),
      ...(speculation?.kind === "uncounted" ? ["speculative-config"] : []),
    ],
  };
}

/** The overhead rule for a format of weights. */
export function regimeFor(settings: EngineSettings, quantised: boolean): VllmRegime {
  const regime = vllmRegime(settings.version, quantised);
  if (regime === undefined) throw new RangeError(`no overhead rule for vLLM ${settings.versionText}`);
  return regime;
}

/** What that rule rests on with so many ranks and sequences, and the bytes a GPU to leave free for what it may miss. */
export function trustFor(
  settings: EngineSettings,
  quantised: boolean,
  ranks: number,
  maxNumSeqs: number,
): Trust {
  const trust = trustIn(regimeFor(settings, quantised), ranks, maxNumSeqs);
  return settings.unknownVersion
    ? { ...trust, marginBytes: trust.marginBytes + unknownVersionMarginBytes }
    : trust;
}
