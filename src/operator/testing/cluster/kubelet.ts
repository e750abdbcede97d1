// The kubelets of all nodes, with an engine in each pod: containers that wait for Secrets and images, start, load,
// become ready, end and are restarted with growing delays, and pods that leave in their grace period.
//
// Differs from the real one: a pod has one container that counts, the first; probes are not run, the engine is ready
// when its plan says so; a wait for a Secret or an image ends with the next change of a Secret or of the plan.
import { refOf } from "@llama-operator/kube-runtime/client";
import type { ClusterParts } from "./control-loop.ts";
import type { EnginePlan } from "./engine-plan.ts";
import { groupAnnotations, groupLabels } from "./leader-worker-set-controller.ts";
import type { NodeController } from "./node-controller.ts";
import {
  timestamp,
  types,
  withCondition,
  type Condition,
  type ContainerStatus,
  type Exit,
  type Pod,
  type PodStatus,
} from "./objects.ts";

/** Before containers are created: sandbox, network, image that is there. */
const createMs = 1000;
/** How soon the ranks of a group notice that one has died. */
const rankTimeoutMs = 500;
/** Restart delays: none at first, then 10 s, doubling up to 5 min. */
const firstBackOffSeconds = 10;
const maxBackOffSeconds = 300;

interface Runner {
  readonly uid: string;
  cancel: () => void;
  startedAtMs: number | undefined;
  backOffSeconds: number;
  leaving: boolean;
}

export class Kubelet {
  readonly #parts: ClusterParts;
  readonly #engines: EnginePlan;
  readonly #nodes: NodeController;
  readonly #runners = new Map<string, Runner>();
  #addresses = 0;

  constructor(parts: ClusterParts, engines: EnginePlan, nodes: NodeController) {
    this.#parts = parts;
    this.#engines = engines;
    this.#nodes = nodes;
    parts.server.onChange(({ resource, event }) => {
      if (resource === "pods") {
        if (event.type === "DELETED") this.#forget(event.object as Pod);
        else this.#look(event.object as Pod);
      } else if (resource === "secrets") this.retry();
    });
  }

  /** Lets containers that wait for a Secret or an image be tried again. */
  retry(): void {
    for (const pod of this.#parts.server.list(types.pods)) {
      const runner = this.#runners.get(pod.metadata.uid);
      const reason = pod.status?.containerStatuses?.[0]?.state.waiting?.reason ?? "";
      if (runner !== undefined && waitsForOthers.has(reason))
        this.#later(runner, createMs, () => this.#create(pod));
    }
  }

  /** The node's containers end without a word. */
  lose(node: string): void {
    for (const pod of this.#podsOn(node)) {
      this.#runners.get(pod.metadata.uid)?.cancel();
    }
  }

  /** The node is back: what ran there starts again, and what was to leave leaves. */
  bringBack(node: string): void {
    for (const pod of this.#podsOn(node)) {
      const hadRunner = this.#runners.delete(pod.metadata.uid);
      const status = pod.status?.containerStatuses?.[0];
      if (!hadRunner || status === undefined || pod.metadata.deletionTimestamp !== undefined) {
        this.#look(pod);
        continue;
      }
      const exit = { exitCode: 255, reason: "Unknown", finishedAt: this.#now() };
      const runner = this.#newRunner(pod);
      this.#later(runner, createMs, () =>
        this.#start(pod, { restartCount: status.restartCount + 1, lastExit: exit }),
      );
    }
  }

  /** The engine of a running pod ends now. */
  fail(pod: Pod, exitCode: number, lastWords: string): void {
    const runner = this.#runners.get(pod.metadata.uid);
    if (runner === undefined) throw new Error(`pod ${pod.metadata.name} does not run`);
    runner.cancel();
    this.#exited(pod, exitCode, lastWords);
  }

  #podsOn(node: string): readonly Pod[] {
    return this.#parts.server.list(types.pods).filter(({ spec }) => spec.nodeName === node);
  }

  #look(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const node = pod.spec.nodeName;
    if (node === undefined || this.#nodes.isSilent(node)) return;
    const phase = pod.status?.phase;
    const runner = this.#runners.get(uid);
    if (deletionTimestamp !== undefined) {
      if (runner?.leaving !== true) this.#leave(pod, runner ?? this.#newRunner(pod));
      return;
    }
    if (phase === "Succeeded" || phase === "Failed") return;
    if (runner === undefined) {
      const created = this.#newRunner(pod);
      // A pod that was found running goes on; one that was just placed is created.
      if (pod.status?.containerStatuses?.[0]?.state.running === undefined) {
        this.#later(created, createMs, () => this.#create(pod));
      } else created.startedAtMs = this.#parts.clock.now();
    }
    this.#letLeaderLoad(pod);
  }

  #newRunner({ metadata: { uid } }: Pod): Runner {
    const runner: Runner = {
      uid,
      cancel: () => undefined,
      startedAtMs: undefined,
      backOffSeconds: 0,
      leaving: false,
    };
    this.#runners.set(uid, runner);
    return runner;
  }

  #later(runner: Runner, ms: number, then: () => void, background = false): void {
    runner.cancel();
    const { clock } = this.#parts;
    const run = (): void => {
      if (this.#runners.get(runner.uid) === runner) then();
    };
    runner.cancel = background ? clock.setBackgroundTimeout(run, ms) : clock.setTimeout(run, ms);
  }

  #create(known: Pod): void {
    const pod = this.#current(known);
    if (pod === undefined) return;
    const { imagePullError } = this.#engines.of(pod);
    const image = pod.spec.containers[0]?.image ?? "";
    const secret = this.#missingSecret(pod);
    if (imagePullError !== undefined) {
      this.#wait(pod, "ImagePullBackOff", `Back-off pulling image "${image}": ${imagePullError}`);
    } else if (secret !== undefined) {
      this.#wait(pod, "CreateContainerConfigError", `secret "${secret}" not found`);
    } else this.#start(pod, { restartCount: 0 });
  }

  #missingSecret({ metadata, spec }: Pod): string | undefined {
    const { server } = this.#parts;
    return spec.containers
      .flatMap(({ env }) => env ?? [])
      .map(({ valueFrom }) => valueFrom?.secretKeyRef?.name)
      .find(
        (name) =>
          name !== undefined &&
          server.get(types.secrets, { namespace: metadata.namespace, name }) === undefined,
      );
  }

  #start(known: Pod, again: { readonly restartCount: number; readonly lastExit?: Exit }): void {
    const pod = this.#current(known);
    const runner = this.#runners.get(known.metadata.uid);
    if (pod === undefined || runner === undefined) return;
    runner.startedAtMs = this.#parts.clock.now();
    runner.cancel();
    const hasProbes = pod.spec.containers[0]?.startupProbe !== undefined;
    const running = { running: { startedAt: this.#now() } };
    this.#write(pod, {
      ...again,
      state: running,
      // Without probes a container is ready once it runs.
      ready: !hasProbes,
    });
    const { exitCode, exitAfterSeconds, lastWords } = this.#engines.of(pod);
    if (exitCode !== undefined) {
      this.#later(runner, exitAfterSeconds * 1000, () => this.#exited(pod, exitCode, lastWords));
    } else this.#letLeaderLoad(pod);
  }

  /** An engine cannot go on without one of its ranks. */
  #endOtherRanks({ metadata, spec }: Pod): void {
    const set = metadata.labels?.[groupLabels.set];
    if (set === undefined) return;
    for (const rank of this.#ranksOf(metadata)) {
      const runner = this.#runners.get(rank.metadata.uid);
      if (rank.metadata.uid === metadata.uid || runner?.startedAtMs === undefined || runner.leaving) continue;
      const lastWords = `RuntimeError: rank on ${spec.nodeName ?? "another node"} died`;
      this.#later(runner, rankTimeoutMs, () => this.#exited(rank, 1, lastWords));
    }
  }

  #ranksOf({ namespace, labels }: Pod["metadata"]): readonly Pod[] {
    return this.#parts.server
      .list(types.pods, namespace)
      .filter(({ metadata }) =>
        [groupLabels.set, groupLabels.group].every((label) => metadata.labels?.[label] === labels?.[label]),
      );
  }

  /** An engine loads once all ranks of its group run; one without a group at once. */
  #letLeaderLoad(known: Pod): void {
    const { metadata } = known;
    const ranks = metadata.labels?.[groupLabels.set] === undefined ? [known] : this.#ranksOf(metadata);
    const size = Number(metadata.annotations?.[groupAnnotations.size] ?? 1);
    const running = ranks.map(({ metadata: { uid } }) => this.#runners.get(uid)?.startedAtMs);
    if (ranks.length < size || running.includes(undefined)) return;
    const pod = ranks.find(({ spec }) => spec.containers[0]?.startupProbe !== undefined);
    const runner = pod && this.#runners.get(pod.metadata.uid);
    const status = pod?.status?.containerStatuses?.[0];
    if (pod === undefined || runner === undefined || status?.state.running === undefined || status.ready)
      return;
    const { startSeconds, exitCode } = this.#engines.of(pod);
    if (exitCode !== undefined) return;
    const last = Math.max(...running.map((startedAtMs) => startedAtMs ?? 0));
    const leftMs = last + startSeconds * 1000 - this.#parts.clock.now();
    this.#later(runner, Math.max(0, leftMs), () => this.#ready(pod));
  }

  #ready(known: Pod): void {
    const pod = this.#current(known);
    const status = pod?.status?.containerStatuses?.[0];
    if (pod === undefined || status?.state.running === undefined) return;
    const lastExit = status.lastState.terminated;
    this.#write(pod, {
      restartCount: status.restartCount,
      state: status.state,
      ready: true,
      ...(lastExit === undefined ? {} : { lastExit }),
    });
  }

  #exited(known: Pod, exitCode: number, message: string): void {
    const pod = this.#current(known);
    const runner = this.#runners.get(known.metadata.uid);
    if (pod === undefined || runner === undefined) return;
    runner.startedAtMs = undefined;
    this.#endOtherRanks(pod);
    const exit: Exit = {
      exitCode,
      reason: exitCode === 137 ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error",
      ...(exitCode === 0 ? {} : { message }),
      finishedAt: this.#now(),
    };
    const restartCount = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const seconds = runner.backOffSeconds;
    runner.backOffSeconds = Math.min(maxBackOffSeconds, seconds === 0 ? firstBackOffSeconds : seconds * 2);
    const again = { restartCount: restartCount + 1, lastExit: exit };
    if (seconds === 0) {
      this.#write(pod, { restartCount, state: { terminated: exit }, ready: false, lastExit: exit });
      this.#later(runner, createMs, () => this.#start(pod, again));
      return;
    }
    const waiting = {
      reason: "CrashLoopBackOff",
      message: `back-off ${seconds}s restarting failed container`,
    };
    this.#write(pod, { restartCount, state: { waiting }, ready: false, lastExit: exit });
    this.#later(runner, seconds * 1000, () => this.#start(pod, again), true);
  }

  #wait(pod: Pod, reason: string, message: string): void {
    this.#write(pod, { restartCount: 0, state: { waiting: { reason, message } }, ready: false });
  }

  /** preStop, SIGTERM, the end of what is in flight, and SIGKILL where the grace is over. */
  #leave(pod: Pod, runner: Runner): void {
    runner.leaving = true;
    const preStop = pod.spec.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const runs = pod.status?.containerStatuses?.[0]?.state.running !== undefined;
    const wanted = runs ? preStop + this.#engines.of(pod).stopSeconds : 0;
    const seconds = Math.min(wanted, pod.metadata.deletionGracePeriodSeconds ?? wanted);
    const { namespace, name, uid } = pod.metadata;
    this.#later(runner, seconds * 1000, () => {
      this.#parts.server.delete(
        types.pods,
        { namespace, name },
        { gracePeriodSeconds: 0, preconditions: { uid } },
      );
    });
  }

  #forget({ metadata: { uid } }: Pod): void {
    this.#runners.get(uid)?.cancel();
    this.#runners.delete(uid);
  }

  /** The pod as it is now; undefined where it is gone or another has its name. */
  #current(known: Pod): Pod | undefined {
    const pod = this.#parts.server.get(types.pods, refOf(known));
    return pod?.metadata.uid === known.metadata.uid ? pod : undefined;
  }

  #write(
    pod: Pod,
    container: {
      readonly restartCount: number;
      readonly state: ContainerStatus["state"];
      readonly ready: boolean;
      readonly lastExit?: Exit;
    },
  ): void {
    const { server } = this.#parts;
    const { restartCount, state, ready, lastExit } = container;
    const name = pod.spec.containers[0]?.name ?? "";
    const now = this.#now();
    const isReady: Condition = {
      type: "Ready",
      status: ready ? "True" : "False",
      ...(ready ? {} : { reason: "ContainersNotReady" }),
    };
    const status: PodStatus = {
      ...pod.status,
      phase: state.running !== undefined || lastExit !== undefined ? "Running" : "Pending",
      podIP: pod.status?.podIP ?? this.#newAddress(),
      conditions: withCondition(pod.status?.conditions, isReady, now),
      containerStatuses: [
        {
          name,
          ready,
          started: ready,
          restartCount,
          state,
          lastState: lastExit === undefined ? {} : { terminated: lastExit },
        },
      ],
    };
    server.setStatus(types.pods, refOf(pod), status);
  }

  #newAddress(): string {
    this.#addresses += 1;
    return `10.0.${Math.floor(this.#addresses / 250)}.${(this.#addresses % 250) + 1}`;
  }

  #now(): string {
    return timestamp(this.#parts.clock.now());
  }
}

const waitsForOthers: ReadonlySet<string> = new Set(["CreateContainerConfigError", "ImagePullBackOff"]);
