// The operator on a cluster in memory, under a clock that moves only by the test's word: whole lives in milliseconds.
// A test acts through verbs and reads what anybody could read: objects, conditions, events, and what was written.
//
// Guarantees
// - The same verbs with the same seed go the same way: no real time, no real chance, changes delivered in one order.
// - `settle` returns when nothing goes on by itself any more; a cluster that never comes to rest is an error that says
//   what was last written.
// Does not show what the real API server and controllers alone can: `cluster/*.ts` say in their headers where each of the
// small ones differs, and test/integration/simulation-twin.test.ts plays one script on both.
import { AssertionError } from "node:assert";
import { setImmediate } from "node:timers/promises";
import { silentLogger } from "@llama-operator/kube-runtime";
import {
  ApiError,
  type KubeObject,
  type Live,
  type ObjectRef,
  type ResourceType,
} from "@llama-operator/kube-runtime/client";
import type { TextRequest } from "@llama-operator/kube-runtime/http";
import { FakeClock, InMemoryKubeClient, type Call, type Write } from "@llama-operator/kube-runtime/testing";
import type { LlamaDeployment, LlamaDeploymentStatus } from "@llama-operator/llama/api";
import { deploymentLabel } from "../workloads/labels.ts";
import type { StoredSchema } from "./cluster/admission.ts";
import { Cluster, type ControllerName } from "./cluster/cluster.ts";
import type { EngineBehaviour, PodChoice } from "./cluster/engine-plan.ts";
import { isReady, matches, types, type Condition, type Pod } from "./cluster/objects.ts";
import { gpuNode, gpuPool, llamaDeployment, type NodeOptions } from "./manifests.ts";
import { seededRandom } from "./random.ts";
import { startOperatorLife, type OperatorLife } from "./start-operator.ts";
import { WriteLog, written, type LoggedWrite } from "./write-log.ts";

export interface SimulationOptions {
  /** Nodes of eight H100 in a pool `h100` that is there from the start; default 1, and none without the pool. */
  readonly nodes?: number;
  /** Whether that pool is there; default true. */
  readonly pool?: boolean;
  /** Whether LeaderWorkerSet is installed; default true. */
  readonly leaderWorkerSet?: boolean;
  /** Whether the operator runs from the start; default true. */
  readonly operator?: boolean;
  readonly seed?: number;
  /** RFC 3339; default the first of January 2026. */
  readonly startAt?: string;
  /** `openAPIV3Schema` of LlamaDeployments, where the cluster's CRD is not that of this release. */
  readonly llamaDeploymentSchema?: StoredSchema;
  /** What engines answer at their metrics' path; without it they are not asked. */
  readonly metricsPage?: (request: TextRequest) => string | undefined;
}

export interface WantedCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  /** Part of it. */
  readonly message?: string;
}

/** The namespace of everything that a test makes without naming another. */
export const defaultNamespace = "models";

/** After the last write of any object, what is still to come by itself comes within this time. */
const quietMs = 45_000;
/** No life lasts longer. */
const longestSettleMs = 6 * 3_600_000;

export function simulate(options: SimulationOptions = {}): Simulation {
  return new Simulation(options);
}

export class Simulation {
  readonly cluster: Cluster;
  readonly #clock: FakeClock;
  readonly #random: () => number;
  readonly #log = new WriteLog();
  readonly #options: SimulationOptions;
  readonly #watchDelayMs = new Map<string, number>();
  readonly #refusals: { readonly matches: (call: Call) => boolean; left: number; readonly error: Error }[] =
    [];
  #life: OperatorLife | undefined;
  #client: InMemoryKubeClient | undefined;
  #writes = 0;
  #crashAfter: number | undefined;
  /** Grows with whatever happens. */
  #activity = 0;
  /** Grows with changes of anything but events. */
  #lasting = 0;
  #nodes = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#clock = new FakeClock(Date.parse(options.startAt ?? "2026-01-01T00:00:00Z"));
    this.#random = seededRandom(options.seed ?? 1);
    this.cluster = new Cluster(this.#clock, this.#random, options.llamaDeploymentSchema);
    const { server } = this.cluster;
    server.onChange(({ resource, event }) => {
      this.#activity += 1;
      if (!resource.startsWith("events")) this.#lasting += 1;
      this.#log.learn(event.object);
    });
    this.#put(types.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: defaultNamespace },
    });
    if (options.leaderWorkerSet === false) server.serve(types.leaderWorkerSets, false);
    if (options.pool !== false) this.apply(gpuPool());
    const { nodes = options.pool === false ? 0 : 1 } = options;
    if (nodes > 0) this.addNodes(nodes);
    if (options.operator !== false) this.startOperator();
  }

  // --- what people and clouds do ---

  /** Applies a manifest of any known kind, as `kubectl apply --server-side` does. @throws ApiError where it is refused */
  apply(manifest: KubeObject): void {
    const type = typeOfKind(manifest.kind);
    const metadata = type.namespaced
      ? { namespace: defaultNamespace, ...manifest.metadata }
      : { ...manifest.metadata };
    this.cluster.server.apply(type, { ...manifest, metadata }, { manager: "kubectl", force: true });
  }

  /** Takes over objects of another cluster as they are there, items of `kubectl get -o json`; in any order. */
  load(objects: readonly Live<KubeObject>[]): void {
    for (const object of objects) this.cluster.server.load(typeOfKind(object.kind), object);
  }

  /** Applies a LlamaDeployment; the whole spec, as a person's file has it. */
  llama(name: string, spec: Readonly<Record<string, unknown>>, namespace?: string): void {
    this.apply(llamaDeployment(name, spec, namespace));
  }

  /** Changes a LlamaDeployment by a merge patch of its spec. */
  edit(name: string, spec: Readonly<Record<string, unknown>>): void {
    this.cluster.server.patch(types.llamaDeployments, refOfName(name), { spec }, { manager: "kubectl-edit" });
  }

  scale(name: string, replicas: number): void {
    this.edit(name, { replicas });
  }

  /** Changes any object by a merge patch, as somebody else would. */
  patch(kind: string, name: string, patch: Readonly<Record<string, unknown>>): void {
    const type = typeOfKind(kind);
    this.cluster.server.patch(type, type.namespaced ? refOfName(name) : { name }, patch, {
      manager: "kubectl-patch",
    });
  }

  delete(kind: string, name: string): void {
    const type = typeOfKind(kind);
    const ref = type.namespaced ? refOfName(name) : { name };
    if (!this.cluster.server.delete(type, ref)) throw new Error(`there is no ${kind} ${name}`);
  }

  /** Nodes of a shape, Ready at once. @returns their names */
  addNodes(count: number, options: NodeOptions = {}): readonly string[] {
    return Array.from({ length: count }, () => {
      this.#nodes += 1;
      const node = gpuNode(`node-${this.#nodes}`, options);
      this.#put(types.nodes, node);
      return `node-${this.#nodes}`;
    });
  }

  /** The node's kubelet and all that ran there fall silent. */
  loseNode(name: string): void {
    this.cluster.nodes.lose(name);
    this.cluster.kubelet.lose(name);
  }

  bringNodeBack(name: string): void {
    this.cluster.nodes.bringBack(name);
    this.cluster.kubelet.bringBack(name);
  }

  /** The cloud takes the machine away: its Node goes. */
  removeNode(name: string): void {
    this.loseNode(name);
    this.cluster.server.delete(types.nodes, { name });
  }

  cordon(name: string, unschedulable = true): void {
    this.cluster.server.patch(types.nodes, { name }, { spec: { unschedulable } });
  }

  /** What engines of these pods do from their next start on. */
  engines(of: PodChoice | string, behaviour: Partial<EngineBehaviour>): void {
    const choice: PodChoice =
      typeof of === "string" ? ({ metadata }) => metadata.labels?.[deploymentLabel] === of : of;
    this.cluster.engines.say(choice, behaviour);
    this.cluster.kubelet.retry();
  }

  /** Engines behave again. */
  healEngines(): void {
    this.cluster.engines.reset();
    this.cluster.kubelet.retry();
  }

  /** The engine of a running pod ends. */
  failPod(pod: Pod | undefined, exitCode = 1, lastWords = "RuntimeError: CUDA error"): void {
    if (pod === undefined) throw new Error("there is no such pod");
    this.cluster.kubelet.fail(pod, exitCode, lastWords);
  }

  /** Deletes a pod as `kubectl delete pod` does. */
  deletePod(pod: Pod | undefined): void {
    if (pod === undefined) throw new Error("there is no such pod");
    const { namespace, name } = pod.metadata;
    this.cluster.server.delete(types.pods, { namespace, name });
  }

  /** A kind comes to be served, or goes with its objects. */
  serveLeaderWorkerSets(served: boolean): void {
    this.cluster.server.serve(types.leaderWorkerSets, served);
  }

  /** A controller of the cluster is down, or up again. */
  pauseController(name: ControllerName, paused = true): void {
    this.cluster.pause(name, paused);
  }

  // --- what becomes of the operator ---

  startOperator(): void {
    const { metricsPage } = this.#options;
    const client = new InMemoryKubeClient({
      server: this.cluster.server,
      clock: this.#clock,
      watchDelayMs: (resource) => this.#watchDelayMs.get(resource) ?? 0,
      onWrite: (write) => this.#wrote(write, client),
    });
    client.intercept = (call) => this.#refuse(call);
    this.#client = client;
    this.#life = startOperatorLife({
      client,
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
      fetchText:
        metricsPage &&
        (async (request) => {
          const text = metricsPage(request);
          return text === undefined ? { status: 503, text: "" } : { status: 200, text };
        }),
    });
  }

  /** The operator's process is killed: nothing of it is written any more. */
  killOperator(): void {
    this.#life?.kill();
    this.#life = undefined;
  }

  /** Killed, and started from nothing. */
  restartOperator(): void {
    this.killOperator();
    this.startOperator();
  }

  /** The operator is told to stop, and does so in order. */
  async stopOperator(): Promise<void> {
    const stopped = this.#life?.stop();
    this.#life = undefined;
    await this.#turns();
    await stopped;
  }

  /** The operator dies once its n-th write from now on is carried out, before it hears of it. */
  crashAfterWrite(n: number): void {
    this.#crashAfter = this.#writes + n;
  }

  /** Whether the operator runs; a crash ends that. */
  get isOperatorRunning(): boolean {
    return this.#life !== undefined;
  }

  /** The next calls of a verb on a kind are refused. */
  refuse(
    which: { readonly verb: Call["verb"]; readonly kind: string; readonly status?: boolean },
    error: Error = new ApiError("simulated", { code: 500, reason: "InternalError" }),
    times = 1,
  ): void {
    const resource = resourceOf(typeOfKind(which.kind));
    this.#refusals.push({
      matches: (call) =>
        call.verb === which.verb &&
        call.resource === resource &&
        (call.subresource === "status") === (which.status ?? false),
      left: times,
      error,
    });
  }

  /** What the operator sees of a kind comes late from now on. */
  delayWatch(kind: string, seconds: number): void {
    this.#watchDelayMs.set(resourceOf(typeOfKind(kind)), seconds * 1000);
  }

  // --- time ---

  /** Lets everything go on until nothing more happens by itself. */
  async settle(): Promise<void> {
    const { server } = this.cluster;
    const startMs = this.#clock.monotonic();
    let version = this.#lasting;
    let lastChangeMs = startMs;
    for (;;) {
      await this.#turns();
      if (this.#lasting !== version) {
        version = this.#lasting;
        lastChangeMs = this.#clock.monotonic();
      }
      const next = this.#clock.nextDueMs;
      if (next === undefined) return;
      if (!this.cluster.isBusy && next > lastChangeMs + quietMs) return;
      if (next > startMs + longestSettleMs) {
        const last = this.#log.all.slice(-5).map(written).join("\n");
        throw new Error(
          `no rest within ${longestSettleMs / 1000} s at ${server.resourceVersion}; last written:\n${last}`,
        );
      }
      this.#clock.runNext();
    }
  }

  /** Lets time pass. */
  async pass(seconds: number): Promise<void> {
    const untilMs = this.#clock.monotonic() + seconds * 1000;
    for (;;) {
      await this.#turns();
      const next = this.#clock.nextDueMs;
      if (next === undefined || next > untilMs) break;
      this.#clock.runNext();
    }
    this.#clock.freeze(untilMs - this.#clock.monotonic());
  }

  /** Lets time pass until something holds. @throws after `seconds` */
  async until(what: string, holds: () => boolean, seconds = 600): Promise<void> {
    const untilMs = this.#clock.monotonic() + seconds * 1000;
    for (;;) {
      await this.#turns();
      if (holds()) return;
      const next = this.#clock.nextDueMs;
      if (next === undefined || next > untilMs) throw new Error(`not within ${seconds} s: ${what}`);
      this.#clock.runNext();
    }
  }

  /** Simulated seconds since the start. */
  get seconds(): number {
    return this.#clock.monotonic() / 1000;
  }

  // --- what anybody can read ---

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
      message: `${name}: wanted ${JSON.stringify(wanted)} of generation ${metadata.generation}; at ${status?.observedGeneration} it is\n${conditions.join("\n")}`,
      actual: found,
      expected: wanted,
      operator: "expectCondition",
    });
  }

  /** @throws AssertionError where a condition is there that should not be */
  expectNoCondition(name: string, type: string): void {
    const found = this.condition(name, type);
    if (found !== undefined) {
      throw new AssertionError({
        message: `${name} has ${type}=${found.status} ${found.reason}: ${found.message}`,
        operator: "expectNoCondition",
      });
    }
  }

  /** What the operator has written since the start, or since `forgetWrites`; events aside. */
  writes(): readonly LoggedWrite[] {
    return this.#log.all;
  }

  /** The same as lines: `change Deployment chat@1: spec.replicas 1 -> 2`. */
  written(): readonly string[] {
    return this.#log.all.map(written);
  }

  /** The writes but for GpuPools' counts and the status of LlamaDeployments. */
  effects(): readonly string[] {
    return this.#log.all.filter(({ verb }) => verb !== "status").map(written);
  }

  forgetWrites(): void {
    this.#log.clear();
  }

  /** Events about an object, as `Normal Serving`, in order; one that repeats is one. */
  events(name: string): readonly string[] {
    return this.#events(name).map(({ type, reason }) => `${type} ${reason}`);
  }

  /** The same with what they say. */
  notes(name: string): readonly string[] {
    return this.#events(name).map(({ reason, note }) => `${reason}: ${note}`);
  }

  /** Names without hashes of what is there, by kind: `Deployment chat@1`. */
  objects(namespace: string = defaultNamespace): readonly string[] {
    const made = [
      types.serviceAccounts,
      types.services,
      types.podDisruptionBudgets,
      types.controllerRevisions,
      types.deployments,
      types.leaderWorkerSets,
    ];
    return made
      .flatMap((type: ResourceType) => this.cluster.server.list(type, namespace))
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === "LlamaDeployment")
      .map((object) => `${object.kind} ${this.#log.nameOf(object)}`)
      .toSorted();
  }

  // --- inner parts ---

  #events(
    name: string,
  ): readonly { readonly type: string; readonly reason: string; readonly note: string }[] {
    interface Event extends KubeObject {
      readonly type: string;
      readonly reason: string;
      readonly note: string;
      readonly regarding: { readonly name: string };
    }
    return this.list<Event>("Event").filter(({ regarding }) => regarding.name === name);
  }

  #put(type: ResourceType, object: KubeObject): void {
    this.cluster.server.create(type, object);
  }

  /** Runs what is ready, however many turns that takes. */
  async #turns(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      const before = this.#activity;
      await setImmediate();
      quiet = this.#activity === before ? quiet + 1 : 0;
    }
    const failure = this.#life?.failure;
    if (failure !== undefined) throw new Error("the operator ended by itself", { cause: failure });
  }

  #refuse(call: Call): void {
    this.#activity += 1;
    const refusal = this.#refusals.find((each) => each.left > 0 && each.matches(call));
    if (refusal === undefined) return;
    refusal.left -= 1;
    throw refusal.error;
  }

  #wrote(write: Write, client: InMemoryKubeClient): Promise<void> | undefined {
    if (client !== this.#client || write.call.resource.startsWith("events")) return undefined;
    this.#writes += 1;
    this.#log.note(write);
    if (this.#writes !== this.#crashAfter) return undefined;
    this.killOperator();
    return new Promise(() => undefined);
  }
}

function refOfName(name: string): ObjectRef {
  return { namespace: defaultNamespace, name };
}

function typeOfKind(kind: string): ResourceType {
  const type = Object.values<ResourceType>(types).find((each) => each.kind === kind);
  if (type === undefined) throw new Error(`the simulation has no kind ${kind}`);
  return type;
}

function resourceOf({ plural, group }: ResourceType): string {
  return group === "" ? plural : `${plural}.${group}`;
}
