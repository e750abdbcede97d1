// The Deployment of a revision whose replicas fit in a node. Its template never changes, since a new template is a
// new revision with a Deployment of its own: only `replicas` does.
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import { placementLabels, revisionLabel, servingPods } from "./labels.ts";
import { ownedMetadata } from "./metadata.ts";
import { workloadName, type Owner } from "./names.ts";
import type { RevisionData } from "./revision.ts";

/** Seconds for a node to be added and an image to be pulled, before a Deployment says that it does not progress. */
const placementSeconds = 1800;

export function deployment(owner: Owner, revision: RevisionData, replicas: number): IDeployment {
  const revisionLabels = { [revisionLabel]: revision.hash, ...placementLabels(revision) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: ownedMetadata(owner, workloadName(owner, revision), revisionLabels),
    spec: {
      replicas,
      selector: { matchLabels: { ...servingPods(owner.name), ...revisionLabels } },
      // The template changes only by other hands, as by `kubectl rollout restart`: one replica after the other then, and
      // without GPUs beyond those that it has.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      progressDeadlineSeconds: revision.startupBudgetSeconds + placementSeconds,
      revisionHistoryLimit: 0,
      template: revision.templates.serving,
    },
  };
}
