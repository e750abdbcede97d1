// The kubelets of all simulated nodes in one: follows pods and nodes, runs a PodRunner for each pod that KWOK has
// given an address on a node that is not lost, and takes lost nodes out of KWOK's hands.
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import { annotation, annotations, kwokNode, type Node, nodeType, type Pod } from "./pod.ts";
import { deletePod, PodRunner } from "./pod-runner.ts";
import type { Runtime } from "./runtime.ts";

/** The value of KWOK's node annotation while a node is lost: KWOK manages only nodes that say "fake". */
const lostValue = "lost";
const managedValue = "fake";

export interface KubeletOptions {
  readonly client: KubeClient;
  readonly runtime: Runtime;
  /** Pods with other addresses are not run. */
  readonly ownsAddress: (address: string) => boolean;
  readonly logDirectory: string | undefined;
  readonly onError: (error: unknown) => void;
}

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #nodes = new Map<string, Node>();
  readonly #runners = new Map<string, PodRunner>();
  /** Pods whose engines ended because their node was lost. */
  readonly #interrupted = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  get pods(): Iterable<Pod> {
    return this.#pods.values();
  }

  nodeOf(pod: Pod): Node | undefined {
    return this.#nodes.get(pod.spec?.nodeName ?? "");
  }

  setPod(pod: Pod): void {
    this.#pods.set(pod.metadata.uid, pod);
    this.#reconcile(pod);
  }

  /** Gone from the API, orderly or by force: whatever of it still runs ends at once. */
  removePod(pod: Pod): void {
    const { uid } = pod.metadata;
    this.#pods.delete(uid);
    this.#interrupted.delete(uid);
    const runner = this.#runners.get(uid);
    if (runner !== undefined) this.#track(runner.abandon());
  }

  setNode(node: Node): void {
    const { name } = node.metadata;
    this.#nodes.set(name, node);
    this.#track(this.#handToKwok(node));
    this.#reconcileNode(name);
  }

  removeNode(node: Node): void {
    this.#nodes.delete(node.metadata.name);
    this.#reconcileNode(node.metadata.name);
  }

  /** Ends every process, without a word to the API, as the end of a machine does. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#runners.values()].map((runner) => runner.abandon()));
    await Promise.all(this.#tasks);
  }

  #reconcileNode(name: string): void {
    for (const pod of this.#pods.values()) if (pod.spec?.nodeName === name) this.#reconcile(pod);
  }

  #reconcile(pod: Pod): void {
    if (this.#stopping.signal.aborted) return;
    const { uid, deletionTimestamp } = pod.metadata;
    const node = this.nodeOf(pod);
    const runner = this.#runners.get(uid);
    if (node === undefined || isLost(node)) {
      if (runner === undefined) return;
      this.#interrupted.add(uid);
      this.#track(runner.abandon());
      return;
    }
    if (annotation(node, kwokNode) === undefined) return;
    if (runner !== undefined) {
      runner.update(pod);
      return;
    }
    if (deletionTimestamp !== undefined) {
      this.#track(deletePod(this.#options.client, pod, this.#stopping.signal));
      return;
    }
    const { phase, podIP = "" } = pod.status ?? {};
    const isOver = phase === "Succeeded" || phase === "Failed";
    if (isOver || !this.#options.ownsAddress(podIP)) return;
    this.#start(pod);
  }

  #start(pod: Pod): void {
    const { uid } = pod.metadata;
    const { client, runtime, logDirectory, onError } = this.#options;
    const restarted = this.#interrupted.delete(uid) || hasRunBefore(pod);
    const runner = new PodRunner({ pod, client, runtime, logDirectory, restarted, onError });
    this.#runners.set(uid, runner);
    this.#track(this.#forget(uid, runner));
  }

  /** A node that comes back before its pods have ended starts them again when they have. */
  async #forget(uid: string, runner: PodRunner): Promise<void> {
    await runner.finished;
    this.#runners.delete(uid);
    const pod = this.#pods.get(uid);
    if (pod !== undefined && this.#interrupted.has(uid)) this.#reconcile(pod);
  }

  /**
   * KWOK makes a node Ready as long as the annotation says that it is KWOK's. It goes on renewing the lease, so
   * the node controller would never notice a loss: what that would write after its grace is written here at once.
   */
  async #handToKwok(node: Node): Promise<void> {
    const current = annotation(node, kwokNode);
    const wanted = isLost(node) ? lostValue : managedValue;
    if (current === undefined || current === wanted) return;
    const { client, runtime } = this.#options;
    const options = { fieldManager: "simulated-kubelet", signal: this.#stopping.signal };
    const ref = { name: node.metadata.name };
    await client.mergePatch(nodeType, ref, { metadata: { annotations: { [kwokNode]: wanted } } }, options);
    if (wanted === managedValue) return;
    const conditions = silentConditions(node, runtime.timestamp());
    await client.mergePatch(nodeType, ref, { status: { conditions } }, { ...options, subresource: "status" });
  }

  /** Nothing is fire-and-forget: errors are reported, and stop() waits. */
  #track(task: Promise<void>): void {
    const { onError } = this.#options;
    const tracked = task
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) onError(error);
      })
      .finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}

function isLost(node: Node | undefined): boolean {
  return node !== undefined && annotation(node, annotations.lost) === "true";
}

/** What the node controller makes of a node whose kubelet has gone silent. */
function silentConditions({ status }: Node, now: string): readonly object[] {
  return (status?.conditions ?? []).map((condition) =>
    /^(?:Ready|MemoryPressure|DiskPressure|PIDPressure)$/.test(condition.type)
      ? {
          ...condition,
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
          lastTransitionTime: now,
        }
      : condition,
  );
}

/** The agent itself was restarted: KWOK starts pods without a container ID, and only a kubelet adds one. */
function hasRunBefore(pod: Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some(
    ({ containerID, started, restartCount }) =>
      (containerID ?? "") !== "" || started === true || restartCount > 0,
  );
}
