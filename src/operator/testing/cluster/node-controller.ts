// What becomes of nodes whose kubelet is silent, and of pods whose node is gone, after pkg/controller/nodelifecycle,
// tainteviction and podgc (Kubernetes 1.35).
//
// Differs from the real one: a kubelet is silent because a test says so, not because a Lease runs out; no zones, no
// eviction rates; taints are those of a silent kubelet alone.
import { refOf, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { ControlLoop, watched, type ClusterParts } from "./control-loop.ts";
import { timestamp, types, withCondition, type Condition, type Node, type Pod } from "./objects.ts";
import { tolerates } from "./scheduler.ts";

/** A kubelet that says nothing for this long is taken to be gone (`--node-monitor-grace-period`). */
export const nodeGraceSeconds = 50;
/** Pods of a node that was deleted are removed after this long. */
const quarantineSeconds = 40;

const unreachable = "node.kubernetes.io/unreachable";

export class NodeController {
  readonly #parts: ClusterParts;
  readonly #silent = new Set<string>();
  readonly #orphans: ControlLoop;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.#orphans = new ControlLoop(
      parts,
      [
        watched(types.nodes, ({ metadata }) =>
          parts.server.get(types.nodes, { name: metadata.name }) === undefined
            ? [{ name: metadata.name }]
            : [],
        ),
      ],
      (ref) => parts.clock.setTimeout(() => this.#collectPodsOf(ref), quarantineSeconds * 1000),
    );
  }

  set paused(paused: boolean) {
    this.#orphans.paused = paused;
  }

  isSilent(node: string): boolean {
    return this.#silent.has(node);
  }

  /** The kubelet has stopped reporting. */
  lose(name: string): void {
    this.#silent.add(name);
    this.#parts.clock.setTimeout(() => {
      if (this.#silent.has(name)) this.#markUnreachable(name);
    }, nodeGraceSeconds * 1000);
  }

  /** The kubelet reports again. */
  bringBack(name: string): void {
    const { server, clock } = this.#parts;
    this.#silent.delete(name);
    const node = server.get(types.nodes, { name });
    if (node === undefined) return;
    const taints = (node.spec?.taints ?? []).filter(({ key }) => key !== unreachable);
    server.update(types.nodes, { ...node, spec: { ...node.spec, taints } });
    this.#setReady(node, { type: "Ready", status: "True", reason: "KubeletReady" }, timestamp(clock.now()));
  }

  #markUnreachable(name: string): void {
    const { server, clock } = this.#parts;
    const node = server.get(types.nodes, { name });
    if (node === undefined) return;
    const now = timestamp(clock.now());
    const taints = ["NoSchedule", "NoExecute"].map((effect) => ({ key: unreachable, effect }));
    server.update(types.nodes, {
      ...node,
      spec: { ...node.spec, taints: [...(node.spec?.taints ?? []), ...taints] },
    });
    const message = "Kubelet stopped posting node status.";
    this.#setReady(node, { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message }, now);
    for (const pod of server.list(types.pods).filter(({ spec }) => spec.nodeName === name)) {
      const conditions = withCondition(
        pod.status?.conditions,
        { type: "Ready", status: "False", reason: "NodeNotReady" },
        now,
      );
      server.setStatus(types.pods, refOf(pod), { ...pod.status, conditions });
      this.#evictLater(pod);
    }
  }

  #setReady({ metadata: { name }, status }: Node, ready: Condition, now: string): void {
    const conditions = withCondition(status?.conditions, ready, now);
    this.#parts.server.setStatus(types.nodes, { name }, { ...status, conditions });
  }

  #evictLater({ metadata: { namespace, name, uid }, spec }: Pod): void {
    const { server, clock } = this.#parts;
    const tolerating = (spec.tolerations ?? []).filter((each) =>
      tolerates(each, { key: unreachable, effect: "NoExecute" }),
    );
    if (tolerating.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return;
    const seconds = Math.min(
      ...tolerating.map(({ tolerationSeconds = 0 }) => tolerationSeconds),
      Number.POSITIVE_INFINITY,
    );
    clock.setTimeout(
      () => {
        if (!this.#silent.has(spec.nodeName ?? "")) return;
        if (server.get(types.pods, { namespace, name })?.metadata.uid === uid)
          server.delete(types.pods, { namespace, name });
      },
      tolerating.length === 0 ? 0 : seconds * 1000,
    );
  }

  #collectPodsOf({ name: node }: ObjectRef): void {
    const { server } = this.#parts;
    if (server.get(types.nodes, { name: node }) !== undefined) return;
    for (const pod of server.list(types.pods).filter(({ spec }) => spec.nodeName === node)) {
      server.delete(types.pods, refOf(pod), { gracePeriodSeconds: 0 });
    }
  }
}
