// The few objects that GPUs are counted from, as small as they can be.
import { gpuPoolSpec, type GpuPool, type LlamaDeployment } from "@llama-operator/llama/api";
import {
  parseObjectKey,
  type KubeObject,
  type Live,
  type LiveMeta,
} from "@llama-operator/kube-runtime/client";
import type { Node } from "../../observed/node.ts";
import type { Pod } from "../../observed/pod.ts";
import type { PriorityClass } from "../../observed/priority-class.ts";
import { groupNameLabel, objectLabels, revisionLabel } from "../../workloads/labels.ts";
import type { GpuRequest } from "../queue.ts";
import type { Footprint } from "../room.ts";
import type { DeploymentObject, GroupObject, StoredPlan } from "../sources.ts";

export const gpusPerNode = 8;
const resourceName = "nvidia.com/gpu";

/** What a model's owner writes. */
export interface Model {
  /** `namespace/name`. */
  readonly holder: string;
  readonly pool: string;
  readonly footprint: Footprint;
  readonly priorityClassName?: string | undefined;
  readonly replicas: number;
  readonly waitingForGpus?: { readonly since: string; readonly replicas: number } | undefined;
}

function meta(key: string, over: Partial<LiveMeta> = {}): LiveMeta {
  const { namespace, name } = parseObjectKey(key);
  const place = namespace === undefined ? { name } : { namespace, name };
  return { ...place, uid: key, resourceVersion: "0", ...over };
}

function owned(model: Model, name: string, labels: Record<string, string> = {}): LiveMeta {
  const { namespace, name: owner } = parseObjectKey(model.holder);
  const all = { ...objectLabels(owner), [revisionLabel]: "r1", ...labels };
  return meta(`${namespace}/${name}`, { labels: all });
}

export function gpuPool(name: string, maxNodes?: number): Live<GpuPool & KubeObject> {
  const spec = gpuPoolSpec.parse({
    gpu: { product: "nvidia-h100-80gb", perNode: gpusPerNode },
    nodeSelector: { pool: name },
    ...(maxNodes === undefined ? {} : { nodes: { max: maxNodes } }),
  });
  return { apiVersion: "llama-operator.dev/v1alpha1", kind: "GpuPool", metadata: meta(name), spec };
}

export function node(name: string, pool: string, over: Partial<Node> = {}): Live<Node> {
  const metadata = { ...meta(name), labels: { pool } };
  const devices = { [resourceName]: gpusPerNode };
  return { apiVersion: "v1", kind: "Node", metadata, usable: true, devices, ...over };
}

export function priorityClass(name: string, value: number, globalDefault = false): Live<PriorityClass> {
  const apiVersion = "scheduling.k8s.io/v1";
  return { apiVersion, kind: "PriorityClass", metadata: meta(name), value, globalDefault };
}

export function llamaDeployment(model: Model): Live<LlamaDeployment & KubeObject> {
  const { holder, pool, footprint, priorityClassName, replicas, waitingForGpus } = model;
  const { nodesPerReplica } = footprint;
  const plan = { pool, nodesPerReplica, gpusPerReplica: nodesPerReplica * footprint.gpusPerNode };
  return {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "LlamaDeployment",
    metadata: meta(holder),
    spec: { replicas, podTemplate: { priorityClassName } },
    status: { plan, ...(waitingForGpus === undefined ? {} : { waitingForGpus }) },
  } as unknown as Live<LlamaDeployment & KubeObject>;
}

/** A stored revision; {@link revisions} reads it. */
export function controllerRevision(model: Model): Live<KubeObject> {
  const { pool, footprint } = model;
  const plan = { pool, nodesPerReplica: footprint.nodesPerReplica, pod: { gpus: footprint.gpusPerNode } };
  const metadata = owned(model, `${parseObjectKey(model.holder).name}-r1`);
  return { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, data: { plan } } as Live<KubeObject>;
}

export const revisions = {
  stored: (objects: readonly Live<KubeObject>[]): readonly StoredPlan[] =>
    objects as unknown as readonly StoredPlan[],
};

export function deployment(model: Model, replicas: number): Live<DeploymentObject> {
  const metadata = owned(model, parseObjectKey(model.holder).name);
  return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas } };
}

export function group(model: Model, slot: number, createdMs = 0): Live<GroupObject> {
  const { footprint, priorityClassName } = model;
  const name = `${parseObjectKey(model.holder).name}-${slot}`;
  const creationTimestamp = new Date(createdMs).toISOString();
  const metadata = { ...owned(model, name), uid: `${model.holder}-${slot} ${createdMs}`, creationTimestamp };
  const workerTemplate = { spec: { priorityClassName } };
  const spec = { leaderWorkerTemplate: { size: footprint.nodesPerReplica, workerTemplate } };
  return { apiVersion: "leaderworkerset.x-k8s.io/v1", kind: "LeaderWorkerSet", metadata, spec };
}

/** A pod of a model, of one of its groups where one is named; not on any node yet. */
export function pod(model: Model, name: string, groupName?: string): Live<Pod> {
  const labels = groupName === undefined ? {} : { [groupNameLabel]: groupName };
  return podWith(owned(model, name, labels), model.footprint.gpusPerNode);
}

/** A pod that is none of the operator's. */
export function foreignPod(name: string, nodeName: string, gpus: number): Live<Pod> {
  return { ...podWith(meta(`foreign/${name}`), gpus), nodeName };
}

function podWith(metadata: LiveMeta, gpus: number): Live<Pod> {
  const devices = { [resourceName]: gpus };
  return { apiVersion: "v1", kind: "Pod", metadata, devices, phase: "Pending", ready: false, engine: {} };
}

export function requestOf(model: Model, sinceMs: number, replicas: number): GpuRequest {
  const { holder, pool, footprint, priorityClassName } = model;
  return { holder, pool, footprint, priorityClassName, sinceMs, replicas };
}
