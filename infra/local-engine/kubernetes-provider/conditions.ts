// What the real provider waits for after it has made or changed an object, each as a function of the live object:
// the sentence of what is missing, or nothing when it is there.

import type { KubeObject } from "@llama-operator/kube-runtime/client";
import { type PropertyMap, textOf } from "../protocol/properties.ts";
import { annotation } from "./names.ts";

export type Await = (live: LiveObject) => string | undefined;

/** A live object whose status this file looks into. */
export interface LiveObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly LiveCondition[];
  } & Readonly<Record<string, unknown>>;
}

interface LiveCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

const skipAwaitAnnotation = "pulumi.com/skipAwait";
const waitForAnnotation = "pulumi.com/waitFor";
const timeoutAnnotation = "pulumi.com/timeoutSeconds";

/** Without a timeout of its own: pulumi-kubernetes provider/pkg/await, 10 minutes for workloads, else 5. */
const defaultTimeoutsSeconds: Readonly<Record<string, number>> = { Deployment: 600, Service: 600 };
const defaultTimeoutSeconds = 300;

/**
 * What to wait for, by the object's annotations and kind; nothing for a kind without readiness.
 * @throws Error for an annotation that cannot be read
 */
export function awaitsOf(inputs: PropertyMap): readonly Await[] {
  if (annotation(inputs, skipAwaitAnnotation) === "true") return [];
  const waitFor = annotation(inputs, waitForAnnotation);
  if (waitFor !== undefined) return parseWaitFor(waitFor);
  const standard = byKind[`${textOf(inputs["apiVersion"])}/${textOf(inputs["kind"])}`];
  return standard === undefined ? [] : [standard];
}

/** The resource option first, then the annotation, then the kind's own. */
export function timeoutSeconds(inputs: PropertyMap, requested: number): number {
  if (requested > 0) return requested;
  const annotated = Number.parseInt(annotation(inputs, timeoutAnnotation) ?? "", 10);
  if (annotated > 0) return annotated;
  return defaultTimeoutsSeconds[textOf(inputs["kind"])] ?? defaultTimeoutSeconds;
}

/** `condition=TYPE[=STATUS]`, `jsonpath={.a.b}[=VALUE]`, or a JSON list of them: all must hold. */
export function parseWaitFor(text: string): readonly Await[] {
  if (text.trimStart().startsWith("[")) {
    return (JSON.parse(text) as readonly string[]).flatMap(parseWaitFor);
  }
  const condition = /^condition=([^=]+)(?:=(.+))?$/.exec(text);
  if (condition?.[1] !== undefined) return [hasCondition(condition[1], condition[2] ?? "True")];
  const path = /^jsonpath=\{?\$?\.?([^}=]+)\}?(?:==?(.+))?$/.exec(text);
  if (path?.[1] !== undefined) return [hasValue(path[1], path[2])];
  throw new Error(
    `the annotation ${waitForAnnotation} ${JSON.stringify(text)} is neither condition=… nor jsonpath=…`,
  );
}

/** As `kubectl wait`: case is ignored, and a condition of an older generation does not count. */
function hasCondition(type: string, status: string): Await {
  return ({ metadata, status: live }) => {
    const found = live?.conditions?.find((candidate) => sameText(candidate.type, type));
    if (found === undefined) return `the condition ${type} is not there`;
    const observed = found.observedGeneration ?? live?.observedGeneration;
    if (observed !== undefined && observed < (metadata?.generation ?? 0)) {
      return `generation ${observed} is observed, and ${metadata?.generation} is wanted`;
    }
    if (sameText(found.status, status)) return undefined;
    return `condition ${found.type} is ${found.status}${described(found)}`;
  };
}

const sameText = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

function described({ reason, message }: LiveCondition): string {
  const text = [reason, message].filter((part) => part !== undefined && part !== "").join(": ");
  return text === "" ? "" : ` (${text})`;
}

/** Member names and list positions: `status.loadBalancer.ingress[0].ip`. */
function hasValue(path: string, wanted: string | undefined): Await {
  const parts = path.split(/\.|\[|\]/).filter((part) => part !== "");
  return (live) => {
    let value: unknown = live;
    for (const part of parts) {
      value = (value as Readonly<Record<string, unknown>> | undefined | null)?.[part];
    }
    if (wanted === undefined) return value === undefined ? `.${path} is not there` : undefined;
    return String(value) === wanted ? undefined : `.${path} is ${JSON.stringify(value)}, not ${wanted}`;
  };
}

const isObserved = ({ metadata, status }: LiveObject): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);

const count = (value: unknown): number => (typeof value === "number" ? value : 0);

const deployment: Await = (live) => {
  if (!isObserved(live)) return "the change is not observed yet";
  const progressing = live.status?.conditions?.find(({ type }) => type === "Progressing");
  if (progressing?.reason !== "NewReplicaSetAvailable") {
    return `the new ReplicaSet is not available${progressing === undefined ? "" : described(progressing)}`;
  }
  return hasCondition("Available", "True")(live);
};

const statefulSet: Await = (live) => {
  const wanted = count(live.spec?.["replicas"] ?? 1);
  const ready = count(live.status?.["readyReplicas"]);
  if (!isObserved(live)) return "the change is not observed yet";
  return ready < wanted ? `${ready} of ${wanted} replicas are ready` : undefined;
};

const daemonSet: Await = (live) => {
  const wanted = count(live.status?.["desiredNumberScheduled"]);
  const ready = count(live.status?.["numberReady"]);
  if (!isObserved(live)) return "the change is not observed yet";
  return ready < wanted ? `${ready} of ${wanted} pods are ready` : undefined;
};

const byKind: Readonly<Record<string, Await>> = {
  "apiextensions.k8s.io/v1/CustomResourceDefinition": hasCondition("Established", "True"),
  "apps/v1/DaemonSet": daemonSet,
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "batch/v1/Job": hasCondition("Complete", "True"),
  "v1/Pod": hasCondition("Ready", "True"),
};
