// Whole nodes that are promised to groups whose pods have no node yet, so that two groups never each hold half of
// what either needs. What the cache shows is counted from the cache, after a restart too; what was decided a moment
// ago is remembered here until the cache shows it. Passes over several objects run side by side, so whoever asks
// must claim before it waits for anything.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { deploymentLabel, plannedByUs, revisionLabel } from "../workloads/labels.ts";
import { byDeployment, type Caches } from "../observed/caches.ts";
import { groupNameLabel, type RevisionReader } from "../llama-deployment/revisions.ts";

interface GroupObject extends KubeObject {
  spec?: { leaderWorkerTemplate?: { size?: number } };
}

interface Claim {
  /** The LlamaDeployment whose group it is, as `namespace/name`. */
  readonly holder: string;
  readonly pool: string;
  readonly nodes: number;
}

export class NodeClaims {
  readonly #caches: Caches;
  readonly #revisions: RevisionReader;
  /** Groups decided on and not in the cache yet, by `namespace/name`. */
  readonly #fresh = new Map<string, Claim>();

  constructor(caches: Caches, revisions: RevisionReader) {
    this.#caches = caches;
    this.#revisions = revisions;
  }

  /** Promises the nodes of a group that is about to be made. */
  claim(group: string, claim: Claim): void {
    this.#fresh.set(group, claim);
  }

  /** Takes back what was promised to an object's groups: they were not made, or the cache shows them by now. */
  release(holder: string): void {
    for (const [group, claim] of this.#fresh) if (claim.holder === holder) this.#fresh.delete(group);
  }

  /** Nodes of a pool promised to groups that are made, or are being made, and have pods without a node. */
  promised(pool: string): number {
    let nodes = 0;
    for (const group of this.#caches.leaderWorkerSets.list()) {
      if (!plannedByUs(group.metadata.labels)) continue;
      const { namespace, name } = group.metadata;
      this.#fresh.delete(`${namespace ?? ""}/${name}`);
      if (this.#poolOf(group) === pool) nodes += this.#unplaced(group);
    }
    for (const claim of this.#fresh.values()) if (claim.pool === pool) nodes += claim.nodes;
    return nodes;
  }

  #unplaced(group: Live<GroupObject>): number {
    const { namespace, name, labels } = group.metadata;
    const placed = this.#caches.pods
      .byIndex(byDeployment, `${namespace ?? ""}/${labels?.[deploymentLabel] ?? ""}`)
      .filter((pod) => pod.metadata.labels?.[groupNameLabel] === name && pod.nodeName !== undefined);
    return Math.max(0, (group.spec?.leaderWorkerTemplate?.size ?? 0) - placed.length);
  }

  #poolOf({ metadata: { namespace, labels } }: Live<KubeObject>): string | undefined {
    const name = `${labels?.[deploymentLabel] ?? ""}-${labels?.[revisionLabel] ?? ""}`;
    const revision = this.#caches.controllerRevisions.get({ namespace, name });
    return revision && this.#revisions.stored([revision])[0]?.data.plan.pool;
  }
}
