// One disruption budget over every rank: evicting one worker costs its whole group, so workers count as much as
// leaders. Pods that are not ready may always go, or a broken replica would keep a node from being drained.
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { allRanks } from "./labels.ts";
import { ownedMetadata } from "./metadata.ts";
import { podDisruptionBudgetName, type Owner } from "./names.ts";

export function podDisruptionBudget(owner: Owner): IPodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: ownedMetadata(owner, podDisruptionBudgetName(owner)),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: allRanks(owner.name) },
    },
  };
}
