// Pods, nodes and secrets as the simulated kubelet reads them, and the annotations that steer the simulation.
import type { INode } from "kubernetes-models/v1/Node";
import type { IPod } from "kubernetes-models/v1/Pod";
import { type KubeObject, type Live, resourceType } from "@llama-operator/kube-runtime/client";

export type PodSpec = NonNullable<IPod["spec"]>;
export type PodStatus = NonNullable<IPod["status"]>;
export type Container = PodSpec["containers"][number];
export type ContainerStatus = NonNullable<PodStatus["containerStatuses"]>[number];

export type PodObject = KubeObject & { spec?: PodSpec; status?: PodStatus };
export type Pod = Live<PodObject>;
export type NodeObject = KubeObject & { status?: INode["status"] };
export type Node = Live<NodeObject>;
export type SecretObject = KubeObject & { data?: Readonly<Record<string, string>> };

const core = { group: "", version: "v1" } as const;
export const podType = resourceType<PodObject>({ ...core, kind: "Pod", plural: "pods", namespaced: true });
export const nodeType = resourceType<NodeObject>({
  ...core,
  kind: "Node",
  plural: "nodes",
  namespaced: false,
});
export const secretType = resourceType<SecretObject>({
  ...core,
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
});
export const configMapType = resourceType<SecretObject>({
  ...core,
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
});

const annotationPrefix = "sim.llama-operator.dev/";

/** What a user can set for the simulation, on a pod (through its template) unless noted. */
export const annotations = {
  /** Real seconds after readiness; also obeyed when it is set on a running pod. */
  crashAfterSeconds: `${annotationPrefix}crash-after-seconds`,
  /** The exit code of the start. */
  exitCode: `${annotationPrefix}exit-code`,
  /** Killed for memory while it loads: exit code 137, OOMKilled. */
  outOfMemory: `${annotationPrefix}oom`,
  /** Comes up, then answers nothing; also obeyed when it is set on a running pod. */
  hang: `${annotationPrefix}hang`,
  /** Loads this many times slower. */
  loadFactor: `${annotationPrefix}load-factor`,
  /** The message of an image that cannot be pulled; removing it ends the fault. */
  imagePullError: `${annotationPrefix}image-pull-error`,
  /** Bytes a second at which weights are read; also on a node. */
  loadBytesPerSecond: `${annotationPrefix}load-bytes-per-second`,
  /** Bytes that the init containers fetch before they are done. */
  initBytes: `${annotationPrefix}init-bytes`,
  /** The repository behind a path or a repository whose name says nothing. */
  model: `${annotationPrefix}model`,
  /** On a node: "true" takes it off the network and out of KWOK's hands, until it is removed. */
  lost: `${annotationPrefix}lost`,
} as const;

/** The annotation by which KWOK knows its nodes; while a node is lost it has another value. */
export const kwokNode = "kwok.x-k8s.io/node";

export function annotation(object: KubeObject, name: string): string | undefined {
  return object.metadata?.annotations?.[name];
}

/** A number greater than zero, or the fallback. */
export function positiveAnnotation(objects: readonly KubeObject[], name: string, fallback: number): number {
  for (const object of objects) {
    const value = Number(annotation(object, name));
    if (value > 0) return value;
  }
  return fallback;
}
