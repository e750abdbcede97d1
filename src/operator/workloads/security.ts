// Pods run under Pod Security "restricted": no root, no capabilities, nothing writable but volumes. Only a fabric
// between nodes may need more, and then says so, so that a stricter namespace is reported before anything is made.
import type { IPodSecurityContext } from "kubernetes-models/v1/PodSecurityContext";
import type { ISecurityContext } from "kubernetes-models/v1/SecurityContext";
import { fabrics, type Fabric, type PodSecurityLevel } from "@llama-operator/llama/catalog";
import type { Plan } from "@llama-operator/llama/planning";

/** The fabric that a pod of the plan uses: none where a replica stays within a node. */
export function fabricOf(plan: Pick<Plan, "fabric" | "nodesPerReplica">): Fabric {
  return fabrics[plan.nodesPerReplica > 1 ? plan.fabric : "none"];
}

/** The strictest Pod Security level of a namespace that admits the plan's pods. */
export function requiredPodSecurityLevel(plan: Pick<Plan, "fabric" | "nodesPerReplica">): PodSecurityLevel {
  return fabricOf(plan).podSecurity;
}

/**
 * A capability that is added to a container reaches its process only as root, since Kubernetes has no ambient
 * capabilities (KEP-2763). So a fabric that needs one runs as root, with that one and no other.
 */
function needsRoot(fabric: Fabric): boolean {
  return fabric.capabilities.length > 0;
}

/**
 * No fsGroup: emptyDir volumes are writable by all, and for a claim it would have the kubelet change the owner of
 * every file of the checkpoint.
 */
export function podSecurityContext(fabric: Fabric, runAsUser: number): IPodSecurityContext {
  return needsRoot(fabric)
    ? { runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } }
    : { runAsNonRoot: true, runAsUser, runAsGroup: runAsUser, seccompProfile: { type: "RuntimeDefault" } };
}

export function containerSecurityContext(fabric: Fabric): ISecurityContext {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: {
      drop: ["ALL"],
      ...(needsRoot(fabric) ? { add: [...fabric.capabilities] } : {}),
    },
  };
}
