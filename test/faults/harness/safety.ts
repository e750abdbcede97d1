// What must hold at every moment, whatever fails: checked over a whole history, event by event, from the objects
// alone and with arithmetic of its own.
//
// Rules
// - A revision has at most one Deployment, and at most one LeaderWorkerSet a slot.
// - A workload's pods ask for tensor x pipeline GPUs a replica, as its revision's plan says.
// - `status.observedGeneration` never goes back, and never runs ahead of the generation.
// - A status that says Ready=True for the latest generation is written when every rank of every wanted replica of
//   its revision is Ready, and those hold tensor x pipeline x replicas GPUs.
import type { LlamaDeployment } from "../../../src/llama/api/resources.ts";
import { controllerOf, type KubeObject, type Live } from "../../../src/kube-runtime/client/object.ts";
import { deploymentLabel, revisionLabel, slotLabel } from "../../../src/operator/workloads/labels.ts";
import type { HistoryEvent } from "./history.ts";

type Llama = Live<LlamaDeployment & KubeObject>;

interface PodSpec {
  readonly containers?: readonly {
    readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> };
  }[];
}

interface Template {
  readonly spec?: PodSpec;
}

interface Workload extends KubeObject {
  readonly spec?: {
    readonly template?: Template;
    readonly leaderWorkerTemplate?: {
      readonly size?: number;
      readonly leaderTemplate?: Template;
      readonly workerTemplate?: Template;
    };
  };
}

interface Pod extends KubeObject {
  readonly spec?: PodSpec;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface PlanFacts {
  readonly tensor: number;
  readonly pipeline: number;
  readonly nodesPerReplica: number;
}

const gpuResource = "nvidia.com/gpu";

/** What broke a rule, in the order in which it happened; empty where nothing did. */
export function violations(history: readonly HistoryEvent[]): readonly string[] {
  const moment = new Moment();
  return history.flatMap((event) => {
    const { resourceVersion } = event.object.metadata;
    return moment.take(event).map((violation) => `at ${resourceVersion}: ${violation}`);
  });
}

/** The world as it was after an event. */
class Moment {
  readonly #objects = new Map<string, Live<KubeObject>>();

  take({ type, object }: HistoryEvent): readonly string[] {
    const { kind, metadata } = object;
    const key = `${kind}/${metadata.name}`;
    const before = this.#objects.get(key);
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, object);
    if (type === "DELETED") return [];
    switch (kind) {
      case "Deployment":
      case "LeaderWorkerSet":
        return [...this.#twins(object), ...this.#wrongGpus(object)];
      case "LlamaDeployment":
        return [
          ...wentBack(before as Llama | undefined, object as Llama),
          ...this.#falseReady(object as Llama),
        ];
      default:
        return [];
    }
  }

  #twins(object: Live<KubeObject>): readonly string[] {
    const mine = identityOf(object);
    const twin = this.#of(object.kind).find(
      (other) =>
        other.metadata.uid !== object.metadata.uid && !isLeaving(other) && identityOf(other) === mine,
    );
    if (isLeaving(object) || twin === undefined) return [];
    return [`${object.kind} ${object.metadata.name} and ${twin.metadata.name} are both ${mine}`];
  }

  #wrongGpus(object: Live<Workload>): readonly string[] {
    const plan = this.#planOf(object.metadata.labels?.[revisionLabel]);
    const { name } = object.metadata;
    if (controllerOf(object) === undefined) return [];
    if (plan === undefined) return [`${object.kind} ${name} has no ControllerRevision`];
    const { template, leaderWorkerTemplate } = object.spec ?? {};
    const { size = 1, leaderTemplate, workerTemplate } = leaderWorkerTemplate ?? {};
    const asked =
      leaderWorkerTemplate === undefined
        ? gpusOf(template?.spec)
        : gpusOf(leaderTemplate?.spec) + (size - 1) * gpusOf(workerTemplate?.spec);
    const planned = plan.tensor * plan.pipeline;
    return asked === planned ? [] : [`${object.kind} ${name} asks for ${asked} GPUs, planned are ${planned}`];
  }

  #falseReady({ metadata, spec, status }: Llama): readonly string[] {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const isCurrent = status?.observedGeneration === metadata.generation;
    if (ready?.status !== "True" || !isCurrent || spec.replicas === 0) return [];
    const plan = this.#planOf(status?.currentRevision);
    if (plan === undefined) return [`${metadata.name} is Ready without a revision`];
    const ranks = this.#of<Pod>("Pod").filter(
      (pod) =>
        pod.metadata.labels?.[deploymentLabel] === metadata.name &&
        pod.metadata.labels[revisionLabel] === status?.currentRevision &&
        !isLeaving(pod) &&
        pod.status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true,
    );
    const wantedRanks = spec.replicas * plan.nodesPerReplica;
    const wantedGpus = spec.replicas * plan.tensor * plan.pipeline;
    const gpus = ranks.reduce((sum, pod) => sum + gpusOf(pod.spec), 0);
    if (ranks.length >= wantedRanks && gpus >= wantedGpus) return [];
    const found = `${ranks.length} of ${wantedRanks} ranks with ${gpus} of ${wantedGpus} GPUs`;
    return [`${metadata.name} says Ready with ${found}`];
  }

  #planOf(revision: string | undefined): PlanFacts | undefined {
    const stored = this.#of<KubeObject & { data?: { plan?: PlanFacts } }>("ControllerRevision").find(
      ({ metadata }) => revision !== undefined && metadata.labels?.[revisionLabel] === revision,
    );
    return stored?.data?.plan;
  }

  #of<T extends KubeObject>(kind: string): readonly Live<T>[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind) as Live<T>[];
  }
}

function wentBack(before: Llama | undefined, after: Llama): readonly string[] {
  const { name, uid, generation = 0 } = after.metadata;
  const observed = after.status?.observedGeneration ?? -1;
  if (observed > generation) return [`${name} observed generation ${observed} of ${generation}`];
  const known = before?.metadata.uid === uid ? (before.status?.observedGeneration ?? -1) : -1;
  return observed < known ? [`${name}: observedGeneration ${known} went back to ${observed}`] : [];
}

function identityOf(object: Live<KubeObject>): string {
  const { labels } = object.metadata;
  const slot = labels?.[slotLabel];
  const where = slot === undefined ? "" : ` slot ${slot}`;
  return `revision ${labels?.[revisionLabel]}${where} of ${controllerOf(object)?.uid}`;
}

function gpusOf(spec: PodSpec | undefined): number {
  return (spec?.containers ?? []).reduce(
    (sum, { resources }) => sum + Number(resources?.requests?.[gpuResource] ?? 0),
    0,
  );
}

function isLeaving({ metadata }: Live<KubeObject>): boolean {
  return metadata.deletionTimestamp !== undefined;
}
