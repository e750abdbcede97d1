// Overheads read back from running engines: how one follows from a plan and the engine's report, and which one applies
// to a layout. What start-up takes besides weights and KV cache is derived for the newest engines (docs/memory-model.md); a
// measurement at the very same settings is better than any rule.
import type { MeasuredOverhead } from "../../api/measured-overheads.ts";
import { findModel } from "../../catalog/models.ts";
import type { EngineLimits, MemoryPerGpu, Plan } from "../plan.ts";

/** What an overhead depends on. Utilisation and context are not among it: they share out what is left. */
export interface OverheadKey {
  readonly engine: MeasuredOverhead["engine"];
  readonly version: string;
  /** The pool's `gpu.product`. */
  readonly gpu: string;
  readonly tensor: number;
  readonly pipeline: number;
  readonly model: string;
  readonly weights: MeasuredOverhead["weights"];
  readonly limits: Pick<EngineLimits, "maxNumSeqs" | "maxNumBatchedTokens">;
}

/**
 * The measurement that applies, the largest of several; `undefined` where there is none. Models of the catalog with the
 * same architecture stand for each other; any other name stands for itself.
 */
export function measuredOverheadFor(
  overheads: readonly MeasuredOverhead[],
  key: OverheadKey,
): MeasuredOverhead | undefined {
  return overheads
    .filter((each) => applies(each, key))
    .reduce<MeasuredOverhead | undefined>(
      (most, each) => (most === undefined || each.overheadBytes > most.overheadBytes ? each : most),
      undefined,
    );
}

function applies(measured: MeasuredOverhead, key: OverheadKey): boolean {
  return (
    measured.engine === key.engine &&
    measured.version === key.version &&
    measured.gpu === key.gpu &&
    measured.tensor === key.tensor &&
    measured.pipeline === key.pipeline &&
    measured.weights === key.weights &&
    measured.maxNumSeqs === key.limits.maxNumSeqs &&
    measured.maxNumBatchedTokens === key.limits.maxNumBatchedTokens &&
    sameArchitecture(measured.model, key.model)
  );
}

function sameArchitecture(one: string, other: string): boolean {
  if (one === other) return true;
  const architecture = findModel(one)?.architecture;
  return architecture !== undefined && architecture === findModel(other)?.architecture;
}

/** The settings of a plan that its overhead depends on. */
export function overheadKeyOf(plan: Plan): OverheadKey {
  const { engine, gpu, tensor, pipeline, model, weights, limits } = plan;
  return {
    engine: engine.type,
    version: engine.version,
    gpu,
    tensor,
    pipeline,
    model,
    weights: weights.format,
    limits,
  };
}

/** What a plan promised; one that an older operator stored lacks the additional memory. */
export interface PromisedMemory extends Pick<Plan, "limits" | "kvCacheTokens"> {
  readonly memoryPerGpu: Pick<MemoryPerGpu, "total" | "weights" | "kvCache"> &
    Partial<Pick<MemoryPerGpu, "additional">>;
}

/**
 * Bytes of a GPU's budget that an engine with so many KV blocks left to neither weights nor KV cache:
 * ceil(gpu-memory-utilization x visible) - weights - additional memory - blocks x bytes of a block, on the stage that
 * the plan found tightest. All but the blocks is the plan's, so that a GPU which shows more or less memory than the catalog says has
 * the difference in its overhead; up to one block of it is what filled no block. Below zero where the plan's weights
 * are too many; `undefined` where the plan holds no KV cache to take a block's size from.
 */
export function overheadBytesOf(plan: PromisedMemory, blocks: number): number | undefined {
  const { limits, memoryPerGpu, kvCacheTokens } = plan;
  const plannedBlocks = Math.floor(kvCacheTokens / limits.blockSize);
  if (plannedBlocks === 0) return undefined;
  const budgetBytes = Math.ceil(limits.gpuMemoryUtilization * memoryPerGpu.total);
  const { weights, kvCache, additional = 0 } = memoryPerGpu;
  return budgetBytes - weights - additional - Math.round((blocks * kvCache) / plannedBlocks);
}

/** The entry of a plan and its measurement, for a file of measured overheads. */
export function measuredOverheadOf(plan: Plan, overheadBytes: number): MeasuredOverhead {
  const { limits, ...key } = overheadKeyOf(plan);
  const { maxNumSeqs, maxNumBatchedTokens } = limits;
  return { ...key, maxNumSeqs, maxNumBatchedTokens, overheadBytes };
}

/** One entry for each setting, the largest of several; in the order in which the settings first appear. */
export function largestOverheads(overheads: readonly MeasuredOverhead[]): readonly MeasuredOverhead[] {
  const largest = new Map<string, MeasuredOverhead>();
  for (const overhead of overheads) {
    const { overheadBytes, ...settings } = overhead;
    const key = JSON.stringify(settings);
    const known = largest.get(key);
    if (known === undefined || known.overheadBytes < overheadBytes) largest.set(key, overhead);
  }
  return [...largest.values()];
}
