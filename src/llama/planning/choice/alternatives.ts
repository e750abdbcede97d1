// What would work instead: small changes to a refused spec, cheapest first, each planned before it is offered.
import type { Reason } from "../../api/conditions.ts";
import type { LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import { defaultVersion } from "../../catalog/engines/vllm.ts";
import { findModel, nearestModels } from "../../catalog/models.ts";
import { findArchitecture } from "../../catalog/relatives.ts";
import { contextLength, counted } from "../messages/format.ts";
import { describeLayout } from "../messages/explain.ts";
import { legalTensorDegrees } from "./parallelism.ts";
import type { Alternative, Plan, PlanResult, Refusal } from "../plan.ts";

type Patch = Alternative["patch"];
/** Plans the spec with a patch; `undefined` where that is refused too. */
type Try = (patch: Patch) => Plan | undefined;

interface SpecChange {
  readonly patch: Patch;
  readonly change: string;
  /** Of changes of one family, such as ever fewer sequences, only the first that plans is offered. */
  readonly family?: string;
}

/** More is too much to read in one message. */
const mostAlternatives = 4;
const leastSensibleContext = 2048;
const contextStep = 1024;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON merge patch (RFC 7396): null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** The largest step in [from, to] that plans, where smaller ones do if larger ones do; none where not even `from`. */
function largest(from: number, to: number, plans: (value: number) => boolean): number | undefined {
  if (to < from || !plans(from)) return undefined;
  let fits = from;
  let refused = to + 1;
  while (refused - fits > 1) {
    const middle = Math.floor((fits + refused) / 2);
    if (plans(middle)) fits = middle;
    else refused = middle;
  }
  return fits;
}

function fewerSequences(spec: LlamaDeploymentSpec, attempt: Try): readonly SpecChange[] {
  const changes: SpecChange[] = [];
  const set = Number(spec.engine.args["max-num-seqs"]);
  for (const sequences of [512, 256, 128, 64, 32, 16]) {
    if (!(sequences < set)) continue;
    changes.push({
      patch: { engine: { args: { "max-num-seqs": String(sequences) } } },
      change: `max-num-seqs ${sequences}`,
      family: "max-num-seqs",
    });
  }
  const concurrency = largest(
    1,
    spec.context.minConcurrency - 1,
    (requests) => attempt({ context: { minConcurrency: requests } }) !== undefined,
  );
  if (concurrency === undefined) return changes;
  const change = `${counted(concurrency, "request")} of full length at once`;
  return [...changes, { patch: { context: { minConcurrency: concurrency } }, change }];
}

function shorterContext(spec: LlamaDeploymentSpec, attempt: Try): readonly SpecChange[] {
  const longest = (spec.model.profile ?? findArchitecture(spec.model.name))?.maxPositions ?? 0;
  const asked = spec.context.maxTokens ?? longest;
  const most = asked > longest ? longest : asked - 1;
  const steps = largest(
    leastSensibleContext / contextStep,
    Math.floor(most / contextStep),
    (step) => attempt({ context: { maxTokens: step * contextStep } }) !== undefined,
  );
  if (steps === undefined) return [];
  const maxTokens = steps * contextStep;
  return [{ patch: { context: { maxTokens } }, change: `a context of ${contextLength(maxTokens)} tokens` }];
}

function otherFormats(spec: LlamaDeploymentSpec): readonly SpecChange[] {
  const changes: SpecChange[] = [];
  if (spec.quantization.weights !== "fp8") {
    const quantization = { weights: "fp8" };
    changes.push({ patch: { quantization }, change: "weights in FP8" });
    if (spec.model.source?.huggingFace?.repository !== undefined && findModel(spec.model.name)) {
      const huggingFace = { repository: null, revision: null };
      changes.push({
        patch: { quantization, model: { source: { huggingFace } } },
        change: "weights in FP8, from the catalog's checkpoint",
      });
    }
  }
  if (spec.quantization.kvCache === "bf16") {
    changes.push({ patch: { quantization: { kvCache: "fp8" } }, change: "the KV cache in FP8" });
  }
  return changes;
}

function otherUtilization(spec: LlamaDeploymentSpec): readonly SpecChange[] {
  if (spec.engine.args["gpu-memory-utilization"] === undefined) return [];
  return [
    {
      patch: { engine: { args: { "gpu-memory-utilization": null } } },
      change: "the engine's default gpu-memory-utilization",
    },
  ];
}

/** Legal tensor degrees other than the requested one: wider ones first, as memory wants it, then the nearest. */
function otherTensorDegrees(spec: LlamaDeploymentSpec): readonly number[] {
  const architecture = spec.model.profile ?? findArchitecture(spec.model.name);
  const { tensor } = spec.parallelism;
  if (architecture === undefined || tensor === undefined) return [];
  const degrees = legalTensorDegrees(architecture);
  const wider = degrees.filter((degree) => degree > tensor);
  return [...wider, ...degrees.filter((degree) => degree < tensor).toReversed()];
}

function otherTensor(spec: LlamaDeploymentSpec): readonly SpecChange[] {
  return otherTensorDegrees(spec).map((degree) => ({
    patch: { parallelism: { tensor: degree } },
    change: `tensor ${degree}`,
    family: "tensor",
  }));
}

/** More stages, on more nodes where one has not enough GPUs; at last the planner's own choice. */
function otherStages({ parallelism }: LlamaDeploymentSpec): readonly SpecChange[] {
  const { tensor, pipeline } = parallelism;
  if (tensor === undefined && pipeline === undefined) return [];
  const stages = pipeline === undefined ? [] : [2, 3, 4].filter((count) => count > pipeline);
  return [
    ...stages.map((count) => ({
      patch: { parallelism: { pipeline: count } },
      change: `pipeline ${count}`,
      family: "pipeline",
    })),
    { patch: { parallelism: { tensor: null, pipeline: null } }, change: "degrees left to the planner" },
  ];
}

function anyPool(spec: LlamaDeploymentSpec): readonly SpecChange[] {
  if (spec.placement.poolSelector === undefined) return [];
  return [{ patch: { placement: { poolSelector: null } }, change: "any pool" }];
}

/** Changes by reason, cheapest first: what costs nothing, then quality, then GPUs. Others have no spec that would do. */
const changesFor: Partial<
  Record<Reason, (spec: LlamaDeploymentSpec, attempt: Try) => readonly SpecChange[]>
> = {
  UnknownModel: (spec) =>
    nearestModels(spec.model.name).map((name) => ({ patch: { model: { name } }, change: `model ${name}` })),
  UnsupportedEngine: () => [
    { patch: { engine: { version: defaultVersion } }, change: `vLLM ${defaultVersion}` },
  ],
  ContextTooLong: shorterContext,
  IllegalParallelism: (spec) => [...otherTensor(spec), ...otherStages(spec), ...anyPool(spec)],
  NoPool: anyPool,
  DoesNotFit: (spec, attempt) => [
    ...fewerSequences(spec, attempt),
    ...otherUtilization(spec),
    ...shorterContext(spec, attempt),
    ...otherFormats(spec),
    ...otherTensor(spec),
    ...anyPool(spec),
    ...otherStages(spec),
  ],
};

const sameLayout = (one: Plan, other: Plan): boolean =>
  one.pool === other.pool &&
  one.tensor === other.tensor &&
  one.pipeline === other.pipeline &&
  one.weights.format === other.weights.format &&
  one.limits.maxModelLen === other.limits.maxModelLen &&
  one.limits.maxNumSeqs === other.limits.maxNumSeqs &&
  one.model === other.model;

/**
 * The nearest changes with which planning succeeds; `decide` plans a spec without alternatives of its own. Of two
 * changes that come to the same plan, only the first is offered.
 */
export function alternativesTo(
  spec: LlamaDeploymentSpec,
  refusal: Refusal,
  decide: (spec: LlamaDeploymentSpec) => PlanResult,
): readonly Alternative[] {
  const attempt: Try = (patch) => {
    // Patches touch only fields of the schema and keep their types, so the result is a spec again.
    const result = decide(mergePatch(spec, patch) as LlamaDeploymentSpec);
    return result.kind === "plan" ? result : undefined;
  };
  const offered: { readonly alternative: Alternative; readonly plan: Plan }[] = [];
  const families = new Set<string>();
  for (const { patch, change, family } of changesFor[refusal.reason]?.(spec, attempt) ?? []) {
    if (offered.length === mostAlternatives) break;
    if (family !== undefined && families.has(family)) continue;
    const plan = attempt(patch);
    if (plan === undefined || offered.some((earlier) => sameLayout(earlier.plan, plan))) continue;
    if (family !== undefined) families.add(family);
    offered.push({ alternative: { summary: `${change}: ${describeLayout(plan)}`, patch }, plan });
  }
  return offered.map(({ alternative }) => alternative);
}
