// The pod template of one rank: everything that shapes a pod, from spec and plan, and nothing that changes with time.
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IEnvVar } from "kubernetes-models/v1/EnvVar";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import type { IResourceRequirements } from "kubernetes-models/v1/ResourceRequirements";
import type { IToleration } from "kubernetes-models/v1/Toleration";
import type { LlamaDeploymentSpec } from "@llama-operator/llama/api";
import {
  type EngineContainer,
  type EnvironmentVariable,
  type Rank,
  engineFor,
} from "@llama-operator/llama/engines";
import { type Plan, quantityValue } from "@llama-operator/llama/planning";
import { podLabels } from "../labels.ts";
import { serviceAccountName, type Owner } from "../names.ts";
import { preStopSeconds, probesOf, startupBudgetSeconds, terminationGracePeriodSeconds } from "./probes.ts";
import { byteQuantity, countQuantity, cpuQuantity } from "./quantity.ts";
import { containerSecurityContext, fabricOf, podSecurityContext } from "../security.ts";
import { modelPathOf, volumesOf } from "./volumes.ts";

/** The engine's container in every pod; logs, metrics and status look for it by this name. */
export const engineContainerName = "engine";

export interface PodTemplateInput {
  readonly owner: Owner;
  readonly revision: string;
  readonly spec: LlamaDeploymentSpec;
  readonly plan: Plan;
  readonly rank: Rank;
}

export function podTemplate({ owner, revision, spec, plan, rank }: PodTemplateInput): IPodTemplateSpec {
  const engine = engineFor(plan.engine.type);
  const modelPath = modelPathOf(plan.weights);
  const container = engine.container({
    spec,
    plan,
    rank,
    ...(modelPath === undefined ? {} : { modelPath }),
  });
  const fabric = fabricOf(plan);
  const { volumes, volumeMounts } = volumesOf(plan, container.writablePaths);
  const { podTemplate: wanted } = spec;
  return {
    metadata: {
      labels: {
        ...withoutReserved(wanted.labels),
        ...podLabels(owner.name, revision, rank.role === "worker" ? "worker" : "serving"),
      },
      ...unlessEmpty("annotations", withoutReserved(wanted.annotations)),
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: wanted.serviceAccountName ?? serviceAccountName(owner),
      terminationGracePeriodSeconds: terminationGracePeriodSeconds(engine.serving),
      securityContext: podSecurityContext(fabric, container.runAsUser),
      ...poolSpec(plan),
      ...(wanted.priorityClassName === undefined ? {} : { priorityClassName: wanted.priorityClassName }),
      ...(wanted.schedulerName === undefined ? {} : { schedulerName: wanted.schedulerName }),
      ...(wanted.runtimeClassName === undefined ? {} : { runtimeClassName: wanted.runtimeClassName }),
      ...unlessEmpty(
        "imagePullSecrets",
        wanted.imagePullSecrets.map(({ name }) => ({ name })),
      ),
      containers: [
        {
          ...engineContainer(container),
          ...(rank.role === "worker"
            ? {}
            : { ports: [{ name: "http", containerPort: engine.serving.port, protocol: "TCP" as const }] }),
          ...probesOf(rank, engine.serving, startupBudgetSeconds(plan)),
          lifecycle: { preStop: { sleep: { seconds: preStopSeconds(rank, engine.serving) } } },
          resources: resources(plan),
          securityContext: containerSecurityContext(fabric),
          volumeMounts,
        },
      ],
      volumes,
    },
  };
}

/** What brings pods to the nodes of their pool. */
export function poolSpec(
  plan: Pick<Plan, "nodeSelector" | "tolerations">,
): Pick<IPodSpec, "nodeSelector" | "tolerations"> {
  return {
    ...unlessEmpty("nodeSelector", { ...plan.nodeSelector }),
    ...unlessEmpty("tolerations", plan.tolerations.map(toleration)),
  };
}

/** The API server stores no empty map or list, so that an applied one would never be found again. */
function unlessEmpty<K extends string, V extends object>(key: K, value: V): { readonly [key in K]?: V } {
  return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { readonly [key in K]: V });
}

/** Prefixes by which the operator and LeaderWorkerSet select; from a person's metadata they are left out. */
const reservedPrefixes = ["llama-operator.dev/", "leaderworkerset.sigs.k8s.io/"];

function withoutReserved(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !reservedPrefixes.some((prefix) => key.startsWith(prefix))),
  );
}

function engineContainer({ image, command, args, env }: EngineContainer): IContainer {
  return {
    name: engineContainerName,
    image,
    command: [...command],
    args: [...args],
    env: env.map(environmentVariable),
    // An engine that refuses to start says why in its log; its last words reach the pod's status, and ours.
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

function environmentVariable({ name, value, valueFrom }: EnvironmentVariable): IEnvVar {
  return {
    name,
    ...(value === undefined ? {} : { value }),
    ...(valueFrom === undefined ? {} : { valueFrom: { ...valueFrom } }),
  };
}

function toleration({ key, operator, value, effect }: Plan["tolerations"][number]): IToleration {
  return {
    ...(key === undefined ? {} : { key }),
    operator,
    ...(value === undefined ? {} : { value }),
    ...(effect === undefined ? {} : { effect }),
  };
}

/**
 * Memory and devices are requested to their limit. CPU has no limit: its quota would stop the engine's scheduler
 * thread in the middle of a step, for every request of the batch, while cores of the same node lie idle.
 */
export function resources({ pod }: Pick<Plan, "pod">): IResourceRequirements {
  const bounded = {
    memory: byteQuantity(pod.memoryBytes),
    ...(pod.ephemeralStorageBytes === 0
      ? {}
      : { "ephemeral-storage": byteQuantity(pod.ephemeralStorageBytes) }),
    [pod.gpuResourceName]: countQuantity(pod.gpus),
    ...Object.fromEntries(
      Object.entries(pod.fabric).map(([name, quantity]) => [name, deviceQuantity(quantity)]),
    ),
  };
  return { requests: { cpu: cpuQuantity(pod.cpuMillicores), ...bounded }, limits: bounded };
}

/** Devices as a pool states them: any spelling of a whole number. Anything else is for the API server to refuse. */
function deviceQuantity(stated: string): string {
  const count = quantityValue(stated);
  return count !== undefined && Number.isInteger(count) ? countQuantity(count) : stated;
}
