// One pod on a simulated node: its containers, its status in the API, and its end. Writes are few: a status that
// says something new, and the deletion that ends the pod.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type KubeClient,
  isConflict,
  isNotFound,
  isTerminating,
  refOf,
} from "@llama-operator/kube-runtime/client";
import { ContainerRunner } from "./container-runner.ts";
import { LogRing } from "./log-ring.ts";
import { annotation, annotations, type Pod, podType } from "./pod.ts";
import { podStatus, type PodView, sameStatus, type WrittenStatus } from "./pod-status.ts";
import type { Runtime } from "./runtime.ts";

const fieldManager = "simulated-kubelet";
/** Before a write that failed is tried again. */
const retryMs = 250;
/** What changes within this time is written at once. */
const coalesceMs = 10;
/** Kubernetes' default. */
const defaultGraceSeconds = 30;

export interface PodRunnerOptions {
  readonly pod: Pod;
  readonly client: KubeClient;
  readonly runtime: Runtime;
  readonly logDirectory: string | undefined;
  /** The node was lost and has come back: its containers start again, and it counts. */
  readonly restarted: boolean;
  readonly onError: (error: unknown) => void;
}

export class PodRunner {
  readonly #client: KubeClient;
  readonly #runtime: Runtime;
  readonly #onError: (error: unknown) => void;
  readonly #containers: readonly ContainerRunner[];
  /** Aborted when the pod is to be left alone: gone, or its node lost. */
  readonly #gone = new AbortController();
  readonly #logDirectory: string | undefined;
  #pod: Pod;
  #initializing: boolean;
  #over = false;
  #written: WrittenStatus | undefined;
  #dirty = Promise.withResolvers<void>();
  #deletionDeadlineMs = Infinity;
  #ending: Promise<void> | undefined;
  readonly #running: Promise<void>;

  constructor(options: PodRunnerOptions) {
    const { pod, runtime, logDirectory, restarted } = options;
    this.#pod = pod;
    this.#client = options.client;
    this.#runtime = runtime;
    this.#onError = options.onError;
    this.#logDirectory = logDirectory;
    this.#initializing = runtime.initMilliseconds(pod) > 0 && !restarted;
    const { namespace, name } = pod.metadata;
    this.#containers = (pod.spec?.containers ?? []).map((container) => {
      const file =
        logDirectory === undefined
          ? undefined
          : join(logDirectory, `${namespace}_${name}_${container.name}.log`);
      return new ContainerRunner({
        container,
        pod: () => this.#pod,
        address: pod.status?.podIP ?? "",
        runtime,
        log: new LogRing(file),
        restarted,
        onChange: () => this.#dirty.resolve(),
      });
    });
    // What KWOK has written counts as written: it says what the first start says.
    const first = podStatus(pod, this.#view(), runtime.timestamp());
    if (!this.#initializing && !restarted) this.#written = first;
    else this.#dirty.resolve();
    this.#running = this.#run();
  }

  /** Resolves when nothing of the pod runs and nothing will be written for it. */
  get finished(): Promise<void> {
    return this.#running;
  }

  /** A newer version of the pod. */
  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    this.#injectNewFaults(before, pod);
    if (isTerminating(pod)) this.#end(pod);
    else if ((pod.spec?.readinessGates ?? []).length > 0) this.#dirty.resolve();
  }

  /** Without a word to the API: the pod is gone from it, or its node from the network. */
  async abandon(): Promise<void> {
    this.#gone.abort();
    this.#dirty.resolve();
    await Promise.all(this.#containers.map((container) => container.kill()));
    await this.#running;
  }

  async #run(): Promise<void> {
    const writing = this.#writeStatuses();
    try {
      if (this.#logDirectory !== undefined) await mkdir(this.#logDirectory, { recursive: true });
      if (this.#initializing) {
        const milliseconds = this.#runtime.initMilliseconds(this.#pod);
        await this.#runtime.clock.sleep(milliseconds, this.#gone.signal).catch(() => undefined);
        this.#initializing = false;
        this.#dirty.resolve();
      }
      await Promise.all(this.#containers.map((container) => container.run()));
    } catch (error) {
      this.#onError(error);
    }
    if (this.#ending === undefined && !this.#gone.signal.aborted) {
      this.#over = true;
      this.#dirty.resolve();
    }
    await writing;
    await this.#ending;
  }

  #view(): PodView {
    return {
      containers: this.#containers.map(({ status }) => status),
      initializing: this.#initializing,
      over: this.#over,
    };
  }

  /** Writes until the pod is gone; changes that come while a write is under way share the next one. */
  async #writeStatuses(): Promise<void> {
    const { signal } = this.#gone;
    while (!signal.aborted) {
      await this.#dirty.promise;
      await this.#runtime.clock.sleep(coalesceMs, signal).catch(() => undefined);
      this.#dirty = Promise.withResolvers<void>();
      // A pod that ends is deleted as soon as it has: no client would read its last status.
      if (this.#ending !== undefined) continue;
      const status = podStatus(this.#pod, this.#view(), this.#runtime.timestamp());
      if (signal.aborted || (this.#written !== undefined && sameStatus(status, this.#written))) continue;
      try {
        await this.#client.mergePatch(
          podType,
          refOf(this.#pod),
          { metadata: { uid: this.#pod.metadata.uid }, status },
          { subresource: "status", fieldManager, signal },
        );
        this.#written = status;
      } catch (error) {
        if (signal.aborted) return;
        // A conflict is another pod of this name; its deletion event will end this runner.
        if (!isNotFound(error) && !isConflict(error)) this.#onError(error);
        await this.#runtime.clock.sleep(retryMs, signal).catch(() => undefined);
        this.#dirty.resolve();
      }
    }
  }

  #injectNewFaults(before: Pod, after: Pod): void {
    const changed = [annotations.crashAfterSeconds, annotations.hang].filter(
      (name) => annotation(after, name) !== annotation(before, name),
    );
    if (changed.length === 0) return;
    const faults = this.#runtime.runningFaults(after, changed);
    for (const container of this.#containers) container.inject(faults);
  }

  /** The API server has set when the pod must be gone; a second deletion may bring that forward. */
  #end(pod: Pod): void {
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    const graceSeconds =
      deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    const leftMs = Math.min(
      graceSeconds * 1000,
      Date.parse(deletionTimestamp ?? "") - Date.parse(this.#runtime.timestamp()),
    );
    const deadlineMs = this.#runtime.clock.now() + Math.max(0, leftMs) / this.#runtime.kubeletSpeedup;
    this.#deletionDeadlineMs = Math.min(this.#deletionDeadlineMs, deadlineMs);
    this.#ending ??= this.#terminate();
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.stop(() => this.#deletionDeadlineMs)));
    const { signal } = this.#gone;
    while (!signal.aborted) {
      try {
        await deletePod(this.#client, this.#pod, signal);
        break;
      } catch (error) {
        if (signal.aborted) return;
        this.#onError(error);
        await this.#runtime.clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
    this.#gone.abort();
    this.#dirty.resolve();
  }
}

/** What a kubelet does when nothing of a deleted pod runs any more. */
export async function deletePod(client: KubeClient, pod: Pod, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(podType, refOf(pod), {
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
      signal,
    });
  } catch (error) {
    // The name belongs to another pod by now: this one is gone.
    if (!isConflict(error)) throw error;
  }
}
