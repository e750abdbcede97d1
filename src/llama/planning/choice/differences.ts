// In which settings two plans differ: those that an engine is told or that GPUs are counted by, under the names that people
// write. Estimates and explanations, which every release words anew, are none; nor is where a plan is placed.
import type { Plan } from "../plan.ts";

/** One setting, as it is in both plans. */
export interface Difference {
  /** `parallelism.tensor`, or a flag of the engine. */
  readonly setting: string;
  readonly one: string;
  readonly other: string;
}

/** The settings in which two plans differ. */
export function differencesOf(one: Plan, other: Plan): readonly Difference[] {
  const others = new Map(settingsOf(other));
  return settingsOf(one).flatMap(([setting, value]) => {
    const wanted = others.get(setting) ?? none;
    return value === wanted ? [] : [{ setting, one: value, other: wanted }];
  });
}

const none = "none";

function settingsOf({ limits, weights, ...plan }: Plan): readonly (readonly [string, string])[] {
  const { source } = weights;
  const checkpoint =
    source.kind === "huggingFace"
      ? `${source.repository}@${source.revision}`
      : `${source.claimName}/${source.path ?? ""}`;
  return [
    ["model.source", checkpoint],
    ["quantization.weights", weights.format],
    ["quantization method", weights.quantMethod ?? none],
    ["quantization.kvCache", plan.kvCache],
    ["parallelism.tensor", String(plan.tensor)],
    ["parallelism.pipeline", String(plan.pipeline)],
    ["context.maxTokens", String(limits.maxModelLen)],
    ["max-num-seqs", String(limits.maxNumSeqs)],
    ["max-num-batched-tokens", String(limits.maxNumBatchedTokens)],
    ["gpu-memory-utilization", String(limits.gpuMemoryUtilization)],
    ["block-size", String(limits.blockSize)],
    // How many bytes is the planner's estimate, which a newer one makes anew.
    ["context.kvCacheSize", limits.kvCacheMemoryBytes === undefined ? "profiled" : "planned"],
  ];
}
