// What the API server of a simulated cluster does to objects on their way in: the defaults and rules of our own kinds,
// out of the schemas that their CRDs are made from, and as much of the built-in kinds' as controllers rely on.
//
// Differs from the real one: of our kinds' rules those of CEL that compare with the old object are not run; built-in
// kinds are not validated.
import { createHash } from "node:crypto";
import { ApiError, type KubeObject } from "@llama-operator/kube-runtime/client";
import type { InMemoryApiServer, RulesOfKinds } from "@llama-operator/kube-runtime/testing";
import { parseGpuPool, parseLlamaDeployment, type ParsedManifest } from "@llama-operator/llama/api";
import { groupAnnotations, groupLabels } from "./leader-worker-set-controller.ts";
import {
  types,
  type LeaderWorkerSetObject,
  type PodObject,
  type ServiceObject,
  type Toleration,
} from "./objects.ts";
import { tolerates } from "./scheduler.ts";

/** The part of a CRD's `openAPIV3Schema` that says which members are kept. */
export interface StoredSchema {
  readonly properties?: Readonly<Record<string, StoredSchema>>;
  readonly items?: StoredSchema;
}

/** Why a new pod is refused, in the API server's words: a quota, a policy; undefined where it is not. */
export type PodRefusal = (pod: PodObject) => string | undefined;

/**
 * @param server the one that the rules are for: some look at other objects
 * @param schema of LlamaDeployments, where the cluster's CRD is not that of this release: what it lacks is dropped
 */
export function admissionRules(
  server: () => InMemoryApiServer,
  refusal: PodRefusal,
  schema?: StoredSchema,
): RulesOfKinds {
  const workload = { statusSubresource: true, generation: true } as const;
  let addresses = 0;
  return {
    "llamadeployments.llama-operator.dev": {
      ...workload,
      admit: (object) => {
        const admitted = parsed(parseLlamaDeployment, object);
        return schema === undefined ? admitted : (pruned(admitted, schema) as KubeObject);
      },
    },
    "gpupools.llama-operator.dev": { ...workload, admit: (object) => parsed(parseGpuPool, object) },
    "deployments.apps": workload,
    "replicasets.apps": workload,
    "statefulsets.apps": workload,
    "poddisruptionbudgets.policy": workload,
    "leaderworkersets.leaderworkerset.x-k8s.io": {
      ...workload,
      admit: (object) => leaderWorkerSetDefaults(object as LeaderWorkerSetObject),
    },
    nodes: { statusSubresource: true, statusOnCreate: true },
    services: {
      statusSubresource: true,
      admit: (object) => {
        const service = object as ServiceObject;
        if (service.spec?.clusterIP !== undefined) return service;
        addresses += 1;
        return { ...service, spec: { ...service.spec, clusterIP: `10.96.0.${addresses}` } } as ServiceObject;
      },
    },
    pods: {
      statusSubresource: true,
      graceSeconds: (object) => {
        const { spec, status } = object as unknown as PodObject;
        const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
        return spec.nodeName === undefined || isOver ? 0 : (spec.terminationGracePeriodSeconds ?? 30);
      },
      admit: (object, live) => {
        if (live !== undefined) return object;
        refusePod(object as PodObject, refusal);
        return newPod(object as PodObject, server());
      },
    },
  };
}

/** Without the members that the schema does not name; metadata and free-form maps are kept whole. */
function pruned(value: unknown, { properties, items }: StoredSchema): unknown {
  if (Array.isArray(value)) return items === undefined ? value : value.map((each) => pruned(each, items));
  if (properties === undefined || typeof value !== "object" || value === null) return value;
  const known = Object.entries(value).filter(([name]) => properties[name] !== undefined);
  return Object.fromEntries(known.map(([name, member]) => [name, pruned(member, properties[name] ?? {})]));
}

/** @throws ApiError as the API server refuses an invalid object */
function parsed<T extends KubeObject | { readonly metadata: object }>(
  parse: (manifest: unknown) => ParsedManifest<T>,
  object: KubeObject,
): KubeObject {
  const result = parse(object);
  if (result.ok) return result.object as KubeObject;
  const causes = result.problems.map(({ path, message }) => ({ field: path, message }));
  const message = causes.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new ApiError(`${object.kind} ${object.metadata?.name}`, {
    code: 422,
    reason: "Invalid",
    message,
    causes,
  });
}

function leaderWorkerSetDefaults(set: LeaderWorkerSetObject): LeaderWorkerSetObject {
  const { leaderWorkerTemplate, ...spec } = set.spec;
  return {
    ...set,
    spec: {
      replicas: 1,
      startupPolicy: "LeaderCreated",
      ...spec,
      leaderWorkerTemplate: { size: 1, restartPolicy: "RecreateGroupOnPodRestart", ...leaderWorkerTemplate },
    },
  };
}

/** For as long a pod outlives its node's silence (the admission plugin DefaultTolerationSeconds). */
const outageTolerations: readonly Toleration[] = ["not-ready", "unreachable"].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

function refusePod(pod: PodObject, refusal: PodRefusal): void {
  const message = refusal(pod);
  if (message !== undefined) throw new ApiError("", { code: 403, reason: "Forbidden", message });
}

function newPod(pod: PodObject, server: InMemoryApiServer): PodObject {
  const { priorityClassName: name, tolerations = [] } = pod.spec;
  const added = outageTolerations.filter(
    ({ key = "" }) => !tolerations.some((each) => tolerates(each, { key, effect: "NoExecute" })),
  );
  const priorityClass = name === undefined ? undefined : server.get(types.priorityClasses, { name });
  if (name !== undefined && priorityClass === undefined) {
    const message = `no PriorityClass with name ${name} was found`;
    throw new ApiError(`Pod ${pod.metadata?.name}`, { code: 403, reason: "Forbidden", message });
  }
  return withGroup({
    ...pod,
    spec: { ...pod.spec, priority: priorityClass?.value ?? 0, tolerations: [...tolerations, ...added] },
    status: { phase: "Pending" },
  });
}

/** What the webhook of LeaderWorkerSet adds to the pods of its groups. */
function withGroup(pod: PodObject): PodObject {
  const labels = { ...pod.metadata?.labels };
  const set = labels[groupLabels.set];
  if (set === undefined) return pod;
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const ordinal = name.slice(name.lastIndexOf("-") + 1);
  if (labels[groupLabels.worker] === "0") {
    labels[groupLabels.group] ??= ordinal;
    labels[groupLabels.key] ??= createHash("sha1").update(`${namespace}/${name}`).digest("hex");
  } else labels[groupLabels.worker] = ordinal;
  const leader = pod.metadata?.annotations?.[groupAnnotations.leader] ?? name;
  const env = [
    { name: "LWS_LEADER_ADDRESS", value: `${leader}.${set}.${namespace}` },
    { name: "LWS_GROUP_SIZE", value: pod.metadata?.annotations?.[groupAnnotations.size] ?? "1" },
    { name: "LWS_WORKER_INDEX", value: labels[groupLabels.worker] ?? "0" },
  ];
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map((container) => ({
        ...container,
        env: [...env, ...(container.env ?? [])],
      })),
    },
  };
}
