// The kinds of a simulated cluster, with the fields that its small controllers read and write.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { resourceType } from "@llama-operator/kube-runtime/client";
import {
  gpuPools as gpuPoolType,
  llamaDeployments as llamaDeploymentType,
  type GpuPool,
  type LlamaDeployment,
} from "@llama-operator/llama/api";

type Strings = Readonly<Record<string, string>>;

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: {
    readonly running?: { readonly startedAt: string };
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly terminated?: Exit;
  };
  readonly lastState: { readonly terminated?: Exit };
}

export interface Exit {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly finishedAt: string;
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly nodeSelector?: Strings;
  readonly tolerations?: readonly Toleration[];
  readonly priorityClassName?: string;
  readonly priority?: number;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
  }[];
  readonly resources?: { readonly requests?: Strings; readonly limits?: Strings };
  readonly startupProbe?: object;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

export interface PodStatus {
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  readonly podIP?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Strings; readonly annotations?: Strings };
  readonly spec: PodSpec;
}

export interface PodObject extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: PodStatus;
}
export type Pod = Live<PodObject>;

export interface NodeObject extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: { readonly allocatable?: Strings; readonly conditions?: readonly Condition[] };
}
export type Node = Live<NodeObject>;

/** Deployments, ReplicaSets and StatefulSets, as far as they are alike. */
export interface WorkloadObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels?: Strings };
    readonly template: PodTemplate;
    readonly revisionHistoryLimit?: number;
    readonly strategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly maxSurge?: number; readonly maxUnavailable?: number };
    };
    readonly serviceName?: string;
    readonly ordinals?: { readonly start?: number };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    /** Of a StatefulSet: the ControllerRevision of its template. */
    readonly updateRevision?: string;
    /** Of a Deployment: how often the name of its ReplicaSet was taken. */
    readonly collisionCount?: number;
    readonly conditions?: readonly Condition[];
  };
}
export type Workload = Live<WorkloadObject>;

export interface LeaderWorkerSetObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly startupPolicy?: string;
    readonly leaderWorkerTemplate: {
      readonly size?: number;
      readonly restartPolicy?: string;
      readonly leaderTemplate?: PodTemplate;
      readonly workerTemplate: PodTemplate;
    };
  };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}
export type LeaderWorkerSet = Live<LeaderWorkerSetObject>;

export interface ServiceObject extends KubeObject {
  readonly spec?: { readonly selector?: Strings; readonly clusterIP?: string };
}

export interface PriorityClassObject extends KubeObject {
  readonly value?: number;
}

const namespaced = <T extends KubeObject>(group: string, version: string, kind: string, plural: string) =>
  resourceType<T>({ group, version, kind, plural, namespaced: true });
const clusterScoped = <T extends KubeObject>(group: string, version: string, kind: string, plural: string) =>
  resourceType<T>({ group, version, kind, plural, namespaced: false });

export const types = {
  llamaDeployments: resourceType<LlamaDeployment & KubeObject>(llamaDeploymentType),
  gpuPools: resourceType<GpuPool & KubeObject>(gpuPoolType),
  nodes: clusterScoped<NodeObject>("", "v1", "Node", "nodes"),
  namespaces: clusterScoped<KubeObject>("", "v1", "Namespace", "namespaces"),
  priorityClasses: clusterScoped<PriorityClassObject>(
    "scheduling.k8s.io",
    "v1",
    "PriorityClass",
    "priorityclasses",
  ),
  pods: namespaced<PodObject>("", "v1", "Pod", "pods"),
  services: namespaced<ServiceObject>("", "v1", "Service", "services"),
  serviceAccounts: namespaced<KubeObject>("", "v1", "ServiceAccount", "serviceaccounts"),
  secrets: namespaced<KubeObject>("", "v1", "Secret", "secrets"),
  persistentVolumeClaims: namespaced<KubeObject>("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  podDisruptionBudgets: namespaced<KubeObject>("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  controllerRevisions: namespaced<KubeObject>("apps", "v1", "ControllerRevision", "controllerrevisions"),
  deployments: namespaced<WorkloadObject>("apps", "v1", "Deployment", "deployments"),
  replicaSets: namespaced<WorkloadObject>("apps", "v1", "ReplicaSet", "replicasets"),
  statefulSets: namespaced<WorkloadObject>("apps", "v1", "StatefulSet", "statefulsets"),
  leaderWorkerSets: namespaced<LeaderWorkerSetObject>(
    "leaderworkerset.x-k8s.io",
    "v1",
    "LeaderWorkerSet",
    "leaderworkersets",
  ),
  events: namespaced<KubeObject>("events.k8s.io", "v1", "Event", "events"),
} as const;

/** A pod that runs or will run: what replica counts are about. */
export function isActive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

export function matches(labels: Strings | undefined, selector: Strings | undefined): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);
}

/** The conditions with one of them set; its time moves when its status does. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  condition: Condition,
  now: string,
): readonly Condition[] {
  const before = conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? (before.lastTransitionTime ?? now) : now;
  const set = { ...condition, lastTransitionTime };
  if (before === undefined) return [...(conditions ?? []), set];
  return (conditions ?? []).map((each) => (each === before ? set : each));
}

/** RFC 3339 in whole seconds, as the API writes times. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
