// What all nodes of a cluster have alike.
import type { container } from "@pulumi/gcp/types/input.js";
import type { Input } from "@pulumi/pulumi";

export function commonNodeConfig(serviceAccount: Input<string>): container.NodePoolNodeConfig {
  return {
    serviceAccount,
    // What a node may do is said by its service account's roles.
    oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
    imageType: "COS_CONTAINERD",
    gvnic: { enabled: true },
    shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
    // Pods get their own identity, never the node's.
    workloadMetadataConfig: { mode: "GKE_METADATA" },
    metadata: { "disable-legacy-endpoints": "true" },
  };
}
