// `status.plan.measured`: the engine's own figures beside the planned ones, and how far the two are apart.
import type { MeasuredStatus } from "@llama-operator/llama/api";
import type { KvCacheReport } from "@llama-operator/llama/engines";
import { overheadBytesOf, type PromisedMemory } from "@llama-operator/llama/planning";

/** What status says of a report; `undefined` where the plan promised no KV cache to compare it with. */
export function measuredOf(plan: PromisedMemory, report: KvCacheReport): MeasuredStatus | undefined {
  if (!(plan.kvCacheTokens > 0)) return undefined;
  const { tokens, maxConcurrency, blockSize, gpuMemoryUtilization, wasSet } = report;
  const held = heldTokens(report);
  const overheadBytes = wasSet ? undefined : overheadBytesOf(plan, Math.floor(held / plan.limits.blockSize));
  return {
    kvCacheTokens: tokens,
    driftPercent: percentText((100 * (held - plan.kvCacheTokens)) / plan.kvCacheTokens),
    ...(maxConcurrency === undefined ? {} : { maxConcurrency: hundredths(maxConcurrency) }),
    ...(blockSize === undefined ? {} : { blockSize }),
    ...(gpuMemoryUtilization === undefined ? {} : { gpuMemoryUtilization: String(gpuMemoryUtilization) }),
    ...(overheadBytes === undefined || !(overheadBytes >= 0) ? {} : { overheadBytes }),
  };
}

/**
 * Tokens in whole blocks, as a plan counts them. What an engine prints is blocks / blocks of the longest request x its
 * tokens: up to a block for each such request less.
 */
function heldTokens({ tokens, blocks, blockSize }: KvCacheReport): number {
  return blocks === undefined || blockSize === undefined ? tokens : blocks * blockSize;
}

/** One decimal, and no minus before a zero. */
function percentText(percent: number): string {
  const text = percent.toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}

/** Rounded down, as the plan's own. */
function hundredths(value: number): string {
  return (Math.floor(value * 100) / 100).toFixed(2);
}

/** The planner's stated accuracy: an engine that has so much less than planned deserves a look. */
const toleratedPercent = -3;

/** Whether an engine has less than planning may be wrong by. */
export function isShort({ driftPercent }: MeasuredStatus): boolean {
  return Number(driftPercent) < toleratedPercent;
}
