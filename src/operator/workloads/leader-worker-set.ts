// One replica that spans nodes: a LeaderWorkerSet of one group. One object per replica, so that any replica can be
// the one to go; within an object only the last could.
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import { placementLabels, revisionLabel, slotLabel } from "./labels.ts";
import { ownedMetadata, type OwnedMetadata } from "./metadata.ts";
import { workloadName, type Owner } from "./names.ts";
import type { RevisionData } from "./revision.ts";

/** The part of `leaderworkerset.x-k8s.io/v1` that the operator writes. */
export interface ILeaderWorkerSet {
  apiVersion: "leaderworkerset.x-k8s.io/v1";
  kind: "LeaderWorkerSet";
  metadata: OwnedMetadata;
  spec: {
    replicas: number;
    startupPolicy: "LeaderCreated" | "LeaderReady";
    leaderWorkerTemplate: {
      /** Pods of a group, the leader among them. */
      size: number;
      restartPolicy: "RecreateGroupOnPodRestart" | "RecreateGroupAfterStart" | "None";
      leaderTemplate: IPodTemplateSpec;
      workerTemplate: IPodTemplateSpec;
    };
  };
}

/**
 * The group of the replica in `slot`. Exclusive placement is left alone: it needs a node label that names a
 * topology domain, which no pool states; ranks that each take a whole node spread by themselves.
 */
export function leaderWorkerSet(owner: Owner, revision: RevisionData, slot: number): ILeaderWorkerSet {
  const { hash, plan, templates } = revision;
  const { serving, worker } = templates;
  return {
    apiVersion: "leaderworkerset.x-k8s.io/v1",
    kind: "LeaderWorkerSet",
    metadata: ownedMetadata(owner, workloadName(owner, revision, slot), {
      [revisionLabel]: hash,
      [slotLabel]: String(slot),
      ...placementLabels(revision),
    }),
    spec: {
      replicas: 1,
      // The leader loads only together with its ranks, so it cannot be ready before they are there.
      startupPolicy: "LeaderCreated",
      leaderWorkerTemplate: {
        size: plan.nodesPerReplica,
        // A rank that starts anew cannot rejoin the others' collectives.
        restartPolicy: "RecreateGroupOnPodRestart",
        leaderTemplate: serving,
        workerTemplate: worker ?? serving,
      },
    },
  };
}
