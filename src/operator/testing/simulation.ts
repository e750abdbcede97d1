// The operator on a cluster in memory, under a clock that moves only by the test's word: whole lives in milliseconds.
// A test acts through verbs and reads what anybody could read: objects, conditions, events, and what was written.
//
// Guarantees
// - The same verbs with the same seed go the same way: no real time, no real chance, changes delivered in one order.
// - `settle` returns when nothing goes on by itself any more; a cluster that never comes to rest is an error that says
//   what was last written.
// Does not show what the real API server and controllers alone can: `cluster/*.ts` say in their headers where each of the
// small ones differs, and test/integration/simulation-twin.test.ts plays one script on both.
import { setImmediate } from "node:timers/promises";
import type { KubeObject, Live, ObjectRef, ResourceType } from "@llama-operator/kube-runtime/client";
import { FakeClock, type Call } from "@llama-operator/kube-runtime/testing";
import type { AdmissionDecision } from "../admission/admission-review.ts";
import { review } from "../admission/review.ts";
import { deploymentLabel } from "../workloads/labels.ts";
import { ClusterView, defaultNamespace, typeOfKind } from "./cluster-view.ts";
import type { PodRefusal, StoredSchema } from "./cluster/admission.ts";
import { Cluster, type ControllerName } from "./cluster/cluster.ts";
import type { EngineBehaviour, PodChoice } from "./cluster/engine-plan.ts";
import { types, type Pod } from "./cluster/objects.ts";
import { gpuNode, gpuPool, llamaDeployment, type NodeOptions } from "./manifests.ts";
import { seededRandom } from "./random.ts";
import { SimulatedOperator, type MetricsPage } from "./simulated-operator.ts";
import { written, type LoggedWrite } from "./write-log.ts";

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
  /** Without it engines are not asked for their metrics. */
  readonly metricsPage?: MetricsPage;
}

/** After the last write of any object, what is still to come by itself comes within this time. */
const quietMs = 45_000;
/** No life lasts longer. */
const longestSettleMs = 6 * 3_600_000;

export function simulate(options: SimulationOptions = {}): Simulation {
  const clock = new FakeClock(Date.parse(options.startAt ?? "2026-01-01T00:00:00Z"));
  const random = seededRandom(options.seed ?? 1);
  const cluster = new Cluster(clock, random, options.llamaDeploymentSchema);
  const { metricsPage } = options;
  const operator = new SimulatedOperator({ server: cluster.server, clock, random, metricsPage });
  return new Simulation(options, { clock, cluster, operator });
}

interface SimulationParts {
  readonly clock: FakeClock;
  readonly cluster: Cluster;
  readonly operator: SimulatedOperator;
}

export class Simulation extends ClusterView {
  readonly #clock: FakeClock;
  readonly #operator: SimulatedOperator;
  /** Grows with changes of any object. */
  #changes = 0;
  /** The same without events, which come after all else and lead to nothing. */
  #lastingChanges = 0;
  #nodes = 0;

  constructor(options: SimulationOptions, { clock, cluster, operator }: SimulationParts) {
    super(cluster, (object) => operator.log.nameOf(object));
    this.#clock = clock;
    this.#operator = operator;
    const { server } = cluster;
    server.onChange(({ resource, event }) => {
      this.#changes += 1;
      if (!resource.startsWith("events")) this.#lastingChanges += 1;
      operator.log.learn(event.object);
    });
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: defaultNamespace } };
    server.create(types.namespaces, namespace);
    if (options.leaderWorkerSet === false) server.serve(types.leaderWorkerSets, false);
    if (options.pool !== false) this.apply(gpuPool());
    this.addNodes(options.nodes ?? (options.pool === false ? 0 : 1));
    if (options.operator !== false) this.startOperator();
  }

  // --- what people and clouds do ---

  /** Applies a manifest of any known kind, as `kubectl apply --server-side` does. @throws ApiError where it is refused */
  apply(manifest: KubeObject): void {
    const type = typeOfKind(manifest.kind);
    const place = type.namespaced ? { namespace: defaultNamespace } : {};
    const object = { ...manifest, metadata: { ...place, ...manifest.metadata } };
    this.cluster.server.apply(type, object, { manager: "kubectl", force: true });
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
    const ref = type.namespaced ? refOfName(name) : { name };
    this.cluster.server.patch(type, ref, patch, { manager: "kubectl-patch" });
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
      const name = `node-${this.#nodes}`;
      this.cluster.server.create(types.nodes, gpuNode(name, options));
      return name;
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

  /** What engines of these pods, or of a LlamaDeployment, do from their next start on. */
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
    this.cluster.kubelet.fail(existing(pod), exitCode, lastWords);
  }

  /** Deletes a pod as `kubectl delete pod` does. */
  deletePod(pod: Pod | undefined): void {
    const { namespace, name } = existing(pod).metadata;
    this.cluster.server.delete(types.pods, { namespace, name });
  }

  /** From now on the API server refuses new pods for which this gives a reason: a quota, a policy. */
  refusePods(refusal: PodRefusal): void {
    this.cluster.refusePod = refusal;
  }

  /** LeaderWorkerSet is installed, or removed with its objects. */
  serveLeaderWorkerSets(served: boolean): void {
    this.cluster.server.serve(types.leaderWorkerSets, served);
  }

  /** A controller of the cluster is down, or up again. */
  pauseController(name: ControllerName, paused = true): void {
    this.cluster.pause(name, paused);
  }

  /** What the operator's webhook says to a LlamaDeployment that is to be made, or to have this spec from now on. */
  ask(
    name: string,
    spec: Readonly<Record<string, unknown>>,
    namespace = defaultNamespace,
  ): AdmissionDecision {
    const stored = this.cluster.server.get(types.llamaDeployments, { namespace, name });
    return review(
      {
        uid: "asked",
        kind: types.llamaDeployments,
        operation: stored === undefined ? "CREATE" : "UPDATE",
        object: { ...llamaDeployment(name, spec, namespace) },
        oldObject: stored && { ...stored },
      },
      this.#operator.planning,
    );
  }

  // --- what becomes of the operator ---

  startOperator(): void {
    this.#operator.start();
  }

  /** The operator's process is killed: nothing of it is written any more. */
  killOperator(): void {
    this.#operator.kill();
  }

  /** Killed, and started from nothing. */
  restartOperator(): void {
    this.killOperator();
    this.startOperator();
  }

  /** The operator is told to stop, and does so in order. */
  async stopOperator(): Promise<void> {
    await this.#operator.stop();
  }

  /** The operator dies once its n-th write from now on is carried out, before it hears of it. */
  crashAfterWrite(n: number): void {
    this.#operator.crashAfterWrite(n);
  }

  get isOperatorRunning(): boolean {
    return this.#operator.isRunning;
  }

  /** The next calls of a verb on a kind end in an error, by default one of the server. */
  refuse(
    which: { readonly verb: Call["verb"]; readonly kind: string; readonly status?: boolean },
    error?: Error,
    times = 1,
  ): void {
    const { verb, status: ofStatus = false } = which;
    const resource = resourceOf(typeOfKind(which.kind));
    const matches = (call: Call): boolean =>
      call.verb === verb && call.resource === resource && (call.subresource === "status") === ofStatus;
    this.#operator.refuse(matches, error, times);
  }

  /** What the operator sees of a kind comes late from now on. */
  delayWatch(kind: string, seconds: number): void {
    this.#operator.delayWatch(resourceOf(typeOfKind(kind)), seconds * 1000);
  }

  /** What the operator has written since the start, or since `forgetWrites`; events aside. */
  writes(): readonly LoggedWrite[] {
    return this.#operator.log.all;
  }

  /** The same as lines: `change Deployment chat@1: spec.replicas 1 -> 2`. */
  written(): readonly string[] {
    return this.writes().map(written);
  }

  /** The lines but for those of status. */
  effects(): readonly string[] {
    return this.writes()
      .filter(({ verb }) => verb !== "status")
      .map(written);
  }

  forgetWrites(): void {
    this.#operator.log.clear();
  }

  // --- time ---

  /** Simulated seconds since the start. */
  get seconds(): number {
    return this.#clock.monotonic() / 1000;
  }

  /** Lets everything go on until nothing more happens by itself. */
  async settle(): Promise<void> {
    const startMs = this.#clock.monotonic();
    let changes = this.#lastingChanges;
    let lastChangeMs = startMs;
    for (;;) {
      await this.#turns();
      if (this.#lastingChanges !== changes) {
        changes = this.#lastingChanges;
        lastChangeMs = this.#clock.monotonic();
      }
      const next = this.#clock.nextDueMs;
      if (next === undefined || (!this.cluster.isBusy && next > lastChangeMs + quietMs)) return;
      if (next > startMs + longestSettleMs) {
        const last = this.written().slice(-5).join("\n");
        throw new Error(`no rest within ${longestSettleMs / 1000} s; last written:\n${last}`);
      }
      this.#clock.runNext();
    }
  }

  /** Lets time pass. */
  async pass(seconds: number): Promise<void> {
    const untilMs = this.#clock.monotonic() + seconds * 1000;
    await this.#runUntil(untilMs, () => false);
    this.#clock.freeze(untilMs - this.#clock.monotonic());
  }

  /** Lets time pass until something holds. @throws after `seconds` */
  async until(what: string, holds: () => boolean, seconds = 600): Promise<void> {
    const untilMs = this.#clock.monotonic() + seconds * 1000;
    if (!(await this.#runUntil(untilMs, holds))) throw new Error(`not within ${seconds} s: ${what}`);
  }

  async #runUntil(untilMs: number, holds: () => boolean): Promise<boolean> {
    for (;;) {
      await this.#turns();
      if (holds()) return true;
      const next = this.#clock.nextDueMs;
      if (next === undefined || next > untilMs) return false;
      this.#clock.runNext();
    }
  }

  /** Runs what is ready, however many turns that takes. */
  async #turns(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      const before = this.#changes + this.#operator.calls;
      await setImmediate();
      quiet = this.#changes + this.#operator.calls === before ? quiet + 1 : 0;
    }
    this.#operator.throwIfFailed();
  }
}

function existing(pod: Pod | undefined): Pod {
  if (pod === undefined) throw new Error("there is no such pod");
  return pod;
}

function refOfName(name: string): ObjectRef {
  return { namespace: defaultNamespace, name };
}

function resourceOf({ plural, group }: ResourceType): string {
  return group === "" ? plural : `${plural}.${group}`;
}
