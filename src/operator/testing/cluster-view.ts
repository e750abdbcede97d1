// What anybody can read of a simulated cluster: objects, status, events, and the pods behind a Service.
import { AssertionError } from "node:assert";
import type { KubeObject, Live, ResourceType } from "@llama-operator/kube-runtime/client";
import type { LlamaDeployment, LlamaDeploymentStatus } from "@llama-operator/llama/api";
import { deploymentLabel } from "../workloads/labels.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { isReady, matches, types, type Condition, type Pod } from "./cluster/objects.ts";

/** The namespace of everything that a test makes without naming another. */
export const defaultNamespace = "models";

export interface WantedCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  /** Part of it. */
  readonly message?: string;
}

interface Event extends KubeObject {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}

/** The kinds that the operator makes. */
const madeTypes: readonly ResourceType[] = [
  types.serviceAccounts,
  types.services,
  types.podDisruptionBudgets,
  types.controllerRevisions,
  types.deployments,
  types.leaderWorkerSets,
];

export class ClusterView {
  readonly cluster: Cluster;
  readonly #nameOf: (object: Live<KubeObject>) => string;

  /** @param nameOf names without hashes */
  constructor(cluster: Cluster, nameOf: (object: Live<KubeObject>) => string) {
    this.cluster = cluster;
    this.#nameOf = nameOf;
  }

  get(kind: string, name: string, namespace: string = defaultNamespace): Live<KubeObject> | undefined {
    const type = typeOfKind(kind);
    return this.cluster.server.get(type, type.namespaced ? { namespace, name } : { name });
  }

  list<T extends KubeObject = KubeObject>(kind: string, namespace?: string): readonly Live<T>[] {
    // The kind's name stands for its type.
    return this.cluster.server.list(typeOfKind(kind) as ResourceType<T>, namespace);
  }

  llamaDeployment(name: string, namespace: string = defaultNamespace): Live<LlamaDeployment & KubeObject> {
    const found = this.cluster.server.get(types.llamaDeployments, { namespace, name });
    if (found === undefined) throw new Error(`there is no LlamaDeployment ${name}`);
    return found;
  }

  status(name: string, namespace?: string): LlamaDeploymentStatus {
    return this.llamaDeployment(name, namespace).status ?? { observedGeneration: -1 };
  }

  condition(name: string, type: string, namespace?: string): Condition | undefined {
    return this.status(name, namespace).conditions?.find((condition) => condition.type === type);
  }

  /** @throws AssertionError with all conditions where one is not as wanted, or of an older generation */
  expectCondition(name: string, wanted: WantedCondition, namespace?: string): void {
    const { metadata, status } = this.llamaDeployment(name, namespace);
    const found = status?.conditions?.find(({ type }) => type === wanted.type);
    const holds =
      status?.observedGeneration === metadata.generation &&
      found?.status === wanted.status &&
      (wanted.reason ?? found.reason) === found.reason &&
      found.message.includes(wanted.message ?? "");
    if (holds) return;
    const conditions = (status?.conditions ?? []).map(
      ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
    );
    throw new AssertionError({
      message:
        `${name}: wanted ${JSON.stringify(wanted)} of generation ${metadata.generation}; at ` +
        `${status?.observedGeneration} it is\n${conditions.join("\n")}`,
      actual: found,
      expected: wanted,
      operator: "expectCondition",
    });
  }

  /** @throws AssertionError where a condition is there that should not be */
  expectNoCondition(name: string, type: string): void {
    const found = this.condition(name, type);
    if (found === undefined) return;
    const message = `${name} has ${type}=${found.status} ${found.reason}: ${found.message}`;
    throw new AssertionError({ message, operator: "expectNoCondition" });
  }

  /** Pods made for a LlamaDeployment, those that leave too. */
  pods(name: string, namespace: string = defaultNamespace): readonly Pod[] {
    return this.cluster.server
      .list(types.pods, namespace)
      .filter(({ metadata }) => metadata.labels?.[deploymentLabel] === name);
  }

  /** Names of the pods behind a Service: ready, and not on their way out. */
  endpoints(service: string, namespace: string = defaultNamespace): readonly string[] {
    const selector = this.cluster.server.get(types.services, { namespace, name: service })?.spec?.selector;
    if (selector === undefined) return [];
    return this.cluster.server
      .list(types.pods, namespace)
      .filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined)
      .filter(({ metadata }) => matches(metadata.labels, selector))
      .map(({ metadata }) => metadata.name);
  }

  /** Names without hashes of what was made for LlamaDeployments: `Deployment chat@1`. */
  objects(namespace: string = defaultNamespace): readonly string[] {
    return madeTypes
      .flatMap((type) => this.cluster.server.list(type, namespace))
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === "LlamaDeployment")
      .map((object) => `${object.kind} ${this.#nameOf(object)}`)
      .toSorted();
  }

  /** Events about an object, as `Normal Serving`, in order; one that repeats is one. */
  events(name: string): readonly string[] {
    return this.#events(name).map(({ type, reason }) => `${type} ${reason}`);
  }

  /** The same with what they say. */
  notes(name: string): readonly string[] {
    return this.#events(name).map(({ reason, note }) => `${reason}: ${note}`);
  }

  #events(name: string): readonly Event[] {
    return this.list<Event>("Event").filter(({ regarding }) => regarding.name === name);
  }
}

/** @throws Error for a kind that the simulation does not have */
export function typeOfKind(kind: string): ResourceType {
  const type = Object.values<ResourceType>(types).find((each) => each.kind === kind);
  if (type === undefined) throw new Error(`the simulation has no kind ${kind}`);
  return type;
}
