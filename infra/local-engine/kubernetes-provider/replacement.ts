// Which changes the real provider answers with a new object, because the API server refuses them for the old one.
// The table is pulumi/pulumi-kubernetes provider/pkg/provider/diff.go, for the kinds that the projects use.

import { type PropertyMap, textOf } from "../protocol/properties.ts";

/** Provider settings that decide. */
export interface Mutability {
  readonly enableConfigMapMutable: boolean;
  readonly enableSecretMutable: boolean;
}

const selector = ["spec.selector"];
const roleBinding = ["roleRef"];
const containerFields = [
  "args",
  "command",
  "env",
  "image",
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "volumeMounts",
  "workingDir",
];
const podFields = [
  "affinity",
  "hostNetwork",
  "nodeName",
  "nodeSelector",
  "priorityClassName",
  "restartPolicy",
  "runtimeClassName",
  "schedulerName",
  "securityContext",
  "serviceAccountName",
  "terminationGracePeriodSeconds",
  "volumes",
];

const byKind: Readonly<Record<string, readonly string[]>> = {
  "apps/v1/DaemonSet": selector,
  "apps/v1/Deployment": selector,
  "apps/v1/StatefulSet": [
    ...selector,
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1/Job": [...selector, "spec.completions", "spec.parallelism", "spec.template"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": roleBinding,
  "rbac.authorization.k8s.io/v1/RoleBinding": roleBinding,
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
  "v1/PersistentVolumeClaim": ["spec.accessModes", ...selector, "spec.storageClassName", "spec.volumeName"],
  "v1/Pod": [
    ...podFields.map((field) => `spec.${field}`),
    ...["containers", "initContainers"].flatMap((list) =>
      containerFields.map((field) => `spec.${list}[*].${field}`),
    ),
  ],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Secret": ["type"],
  "v1/Service": ["spec.clusterIP"],
};

/** Patterns of the paths whose change needs a new object. */
export function replacingPaths(object: PropertyMap, mutability: Mutability): readonly string[] {
  const identity = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];
  const kind = `${textOf(object["apiVersion"])}/${textOf(object["kind"])}`;
  const immutable = object["immutable"] === true;
  if (kind === "v1/ConfigMap" && (immutable || !mutability.enableConfigMapMutable)) {
    return [...identity, "data", "binaryData"];
  }
  if (kind === "v1/Secret" && (immutable || !mutability.enableSecretMutable)) {
    return [...identity, "type", "data", "stringData"];
  }
  return [...identity, ...(byKind[kind] ?? [])];
}
