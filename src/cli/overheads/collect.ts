// From what LlamaDeployments report to entries of a file of measured overheads. The revision says what the engine ran
// with: the spec may have been edited since.
import type { LlamaDeployment, MeasuredOverhead } from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { largestOverheads, measuredOverheadOf, engineSettings } from "@llama-operator/llama/planning";
import {
  readRevision,
  RevisionUnreadable,
  controllerRevisionName,
  type RevisionData,
} from "@llama-operator/operator/workloads";

type Deployment = Live<LlamaDeployment & KubeObject>;

/** What running engines were found to take, and the LlamaDeployments that say nothing that could be planned with. */
export interface Collected {
  /** One for each setting: the largest. */
  readonly overheads: readonly MeasuredOverhead[];
  readonly leftOut: readonly { readonly deployment: string; readonly because: string }[];
}

export function collectOverheads(
  deployments: readonly Deployment[],
  revisions: readonly Live<KubeObject>[],
): Collected {
  const stored = new Map(revisions.map((revision) => [keyOf(revision.metadata), revision]));
  const results = deployments.map((deployment) => ({
    deployment: keyOf(deployment.metadata),
    result: overheadOf(deployment, stored),
  }));
  return {
    overheads: largestOverheads(
      results.flatMap(({ result }) => (typeof result === "string" ? [] : [result])),
    ),
    leftOut: results.flatMap(({ deployment, result }) =>
      typeof result === "string" ? [{ deployment, because: result }] : [],
    ),
  };
}

/** The entry, or why there is none. */
function overheadOf(
  { metadata, spec, status }: Deployment,
  stored: ReadonlyMap<string, Live<KubeObject>>,
): MeasuredOverhead | string {
  const measured = status?.plan?.measured;
  if (measured === undefined || status?.currentRevision === undefined)
    return "its engine has reported nothing";
  const { overheadBytes } = measured;
  if (overheadBytes === undefined) return "its engine's report tells no overhead";
  const name = controllerRevisionName(metadata, status.currentRevision);
  const revision = stored.get(keyOf({ ...metadata, name }));
  const data = revision && read(revision);
  if (data === undefined) return `its revision ${name} cannot be read`;
  const flags = flagsThatTakeMemory(spec, data);
  if (flags.length > 0) return `engine.args.${flags.join(", engine.args.")} changes what the engine takes`;
  return measuredOverheadOf(data.plan, overheadBytes);
}

/** Flags that an entry does not name, and that others without them must not be planned by. */
function flagsThatTakeMemory(spec: LlamaDeployment["spec"], { intent }: RevisionData): readonly string[] {
  const settings = engineSettings({ ...spec, engine: intent.engine });
  if ("kind" in settings) return [];
  const { lora, speculation } = settings.additional;
  return [
    ...settings.uncounted,
    ...(settings.eager ? ["enforce-eager"] : []),
    ...(lora === undefined ? [] : ["enable-lora"]),
    ...(speculation === undefined ? [] : ["speculative-config"]),
  ];
}

function read(revision: Live<KubeObject>): RevisionData | undefined {
  try {
    return readRevision(revision);
  } catch (error) {
    if (error instanceof RevisionUnreadable) return undefined;
    throw error;
  }
}

function keyOf({ namespace, name }: { readonly namespace?: string; readonly name: string }): string {
  return `${namespace ?? ""}/${name}`;
}
