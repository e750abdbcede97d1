// Decides about a request: pure, from the request and what the caches know. It refuses what status would call Stalled
// because there is no plan, in the same words, and nothing else: what may come right by itself is a warning, and what it
// does not understand is left to the API server.
import {
  apiGroup,
  canonicalJson,
  parseGpuPool,
  parseLlamaDeployment,
  type GpuPool,
  type LlamaDeployment,
  type ParsedManifest,
  type LlamaDeploymentSpec,
  type MeasuredOverhead,
} from "@llama-operator/llama/api";
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import {
  hardwareOf,
  isUsable,
  type Plan,
  type PlanInForce,
  type PoolFacts,
  type Refusal,
  describeRefusal,
  gatedNote,
} from "@llama-operator/llama/planning";
import { evaluate } from "@llama-operator/llama";
import { allow, type AdmissionRequest, type AdmissionDecision } from "./admission-review.ts";

/** What planning needs of the cluster. */
export interface PlanningSources {
  /** The pools that a namespace may use; undefined where the namespace is not known (yet). */
  pools(namespace: string): readonly PoolFacts[] | undefined;
  /** The plan in force of a stored object that is to have this spec. */
  currentPlan(ref: ObjectRef, spec: LlamaDeploymentSpec): PlanInForce | undefined;
  /** What running engines were found to take. */
  readonly measuredOverheads: readonly MeasuredOverhead[];
}

/** Judges the creation or update of an object of ours. */
export function review(request: AdmissionRequest, sources: PlanningSources): AdmissionDecision {
  const { kind, operation, subResource = "" } = request;
  if (kind.group !== apiGroup || subResource !== "") return allow;
  if (operation !== "CREATE" && operation !== "UPDATE") return allow;
  switch (kind.kind) {
    case "LlamaDeployment":
      return reviewDeployment(request, sources);
    case "GpuPool":
      return reviewPool(request);
    default:
      return allow;
  }
}

function reviewDeployment(request: AdmissionRequest, sources: PlanningSources): AdmissionDecision {
  const object = read(parseLlamaDeployment, request.object);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return allow;
  const before = read(parseLlamaDeployment, request.oldObject);
  if (before !== undefined && plannedFields(before.spec) === plannedFields(object.spec)) return allow;
  const { namespace = "", name } = object.metadata;
  const { spec } = object;
  const current = before === undefined ? undefined : sources.currentPlan({ namespace, name }, spec);
  const pools = sources.pools(namespace);
  if (pools === undefined) return allow;
  const { measuredOverheads } = sources;
  const verdict = evaluate({ spec, pools, measuredOverheads, ...(current && { current }) });
  if (verdict.kind === "plan") return { allowed: true, warnings: notesOn(spec, verdict) };
  if (verdict.waits) return { allowed: true, warnings: waitOf(verdict) };
  return { allowed: false, reason: verdict.reason, message: describeRefusal(verdict) };
}

/**
 * What planning reads of a spec. A change of anything else cannot make a plan fail, so it passes even where the
 * object could not be planned as it is: it must stay possible to label, scale and delete it.
 */
function plannedFields(spec: LlamaDeploymentSpec): string {
  const { replicas: _, podTemplate: __, ...planned } = spec;
  return canonicalJson(planned);
}

/** A line for what is wrong now, and one for what would help; kubectl shows each as a warning. */
function waitOf({ reason, message, alternatives }: Refusal): readonly string[] {
  const advice = alternatives.map(({ summary }) => summary).join("; or ");
  return [`it waits (${reason}): ${message}`, ...(advice === "" ? [] : [`what would work now: ${advice}`])];
}

function notesOn(spec: LlamaDeploymentSpec, { weights: { source } }: Plan): readonly string[] {
  return source.kind === "huggingFace" ? gatedNote(spec, source.repository, source.gated) : [];
}

/** Refuses a pool that no plan can ever use: a GPU that is unknown, or another one than its machine has. */
function reviewPool(request: AdmissionRequest): AdmissionDecision {
  const object = read(parseGpuPool, request.object);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return allow;
  const before = read(parseGpuPool, request.oldObject);
  if (before !== undefined && machineOf(before) === machineOf(object)) return allow;
  const { metadata, spec } = object;
  const hardware = hardwareOf({ name: metadata.name, labels: metadata.labels ?? {}, spec });
  return isUsable(hardware) ? allow : { allowed: false, reason: "InvalidSpec", message: hardware.problem };
}

function machineOf({ spec: { gpu, machineShape } }: GpuPool): string {
  return canonicalJson({ product: gpu.product, machineShape });
}

/** The object without its status, which another version may have written; undefined where it is none of ours. */
function read<T extends LlamaDeployment | GpuPool>(
  parse: (manifest: unknown) => ParsedManifest<T>,
  object: AdmissionRequest["object"],
): T | undefined {
  if (object === undefined || object === null) return undefined;
  const { apiVersion, kind, metadata, spec } = object;
  const parsed = parse({ apiVersion, kind, metadata, spec });
  return parsed.ok ? parsed.object : undefined;
}
