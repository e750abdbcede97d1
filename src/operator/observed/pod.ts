// A pod as the controllers see it: the few facts that placement and status rest on, taken from the JSON as it
// arrives, so that ten thousand pods cost little memory.
import { victimAnnotation } from "../workloads/deletion-cost.ts";
import { deploymentLabel, plannedByUs } from "../workloads/labels.ts";
import { ownerOfWorkload, workloadOfOwner } from "../workloads/names.ts";
import {
  controllerOf,
  isTerminating,
  type KubeObject,
  type Live,
  type LiveMeta,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";
import { noResources, requestsOf, type NodeResources, type RequestingSpec } from "./resources.ts";

/** What the engine's container last said of itself. */
export interface EngineState {
  /** RFC 3339; set while the container runs. */
  readonly startedAt?: string;
  /** Kubelet's reason for not running it: `CreateContainerConfigError`, `ImagePullBackOff`, `CrashLoopBackOff`. */
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly lastExit?: { readonly exitCode: number; readonly reason: string; readonly message: string };
  /** How often kubelet has started it again in this pod. */
  readonly restarts?: number;
}

export interface Pod extends KubeObject {
  readonly metadata: LiveMeta;
  readonly nodeName?: string;
  /** Extended resources that it requests: `{"nvidia.com/gpu": 8}`. */
  readonly devices: Readonly<Record<string, number>>;
  /**
   * The Deployment or LeaderWorkerSet whose controller keeps it, by its owner reference: labels are changed by hand. None
   * of a pod that was let go, as one is whose labels no longer match.
   */
  readonly workload?: string;
  /** CPU, memory and disk that it requests of its node; absent where it requests none. */
  readonly requests?: NodeResources;
  readonly phase: string;
  readonly ready: boolean;
  /** Where it answers; of pods that are ours. */
  readonly address?: string;
  /** RFC 3339; of pods that are ours. */
  readonly createdAt?: string;
  /** It was chosen to go, and the ReplicaSet controller has been told so; of pods that are ours. */
  readonly isVictim?: true;
  /** Set while the scheduler finds no node, in its own words. */
  readonly unschedulable?: string;
  readonly engine: EngineState;
}

/** Pods that hold devices while they are on a node: those that have not ended. */
export function holdsDevices(pod: Pod): boolean {
  return pod.nodeName !== undefined && !hasEnded(pod);
}

/** Whether a pod runs or will run; not one that leaves, was evicted, or was turned away by its kubelet. */
export function isActive(pod: Pod): boolean {
  return !isTerminating(pod) && !hasEnded(pod);
}

function hasEnded({ phase }: Pod): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

/** The LlamaDeployments that a pod concerns: by its label, and by the workload that keeps it. */
export function deploymentsOf({ metadata: { namespace, labels }, workload }: Pod): readonly ObjectRef[] {
  const names = new Set([labels?.[deploymentLabel], workload && ownerOfWorkload(workload)]);
  return [...names].flatMap((name) => (name === undefined ? [] : [{ namespace, name }]));
}

interface RawContainerState {
  running?: { startedAt?: string };
  waiting?: { reason?: string; message?: string };
  terminated?: { exitCode: number; reason?: string; message?: string };
}

interface RawContainerStatus {
  name: string;
  restartCount?: number;
  state?: RawContainerState;
  lastState?: RawContainerState;
}

interface RawPod extends KubeObject {
  spec?: RequestingSpec & {
    nodeName?: string;
    containers?: { resources?: { limits?: Record<string, unknown>; requests?: Record<string, unknown> } }[];
  };
  status?: {
    phase?: string;
    podIP?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: RawContainerStatus[];
  };
}

/** Projects a pod. Of pods that are not ours only what they take of their node is kept. */
export function projectPod(raw: Live<KubeObject>): Pod {
  const { metadata, spec, status, apiVersion, kind } = raw as Live<RawPod>;
  const devices = devicesOf(spec?.containers ?? []);
  const owner = controllerOf(raw);
  const workload = owner && workloadOfOwner(owner);
  const ours = plannedByUs(metadata.labels) || workload !== undefined;
  const requests = requestsOf(spec);
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata;
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const scheduled = condition("PodScheduled");
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(ours && metadata.labels !== undefined ? { labels: metadata.labels } : {}),
    },
    ...(spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    devices,
    ...(workload === undefined ? {} : { workload }),
    ...(requests === noResources ? {} : { requests }),
    phase: status?.phase ?? "Pending",
    ready: ours && condition("Ready")?.status === "True",
    ...(ours && status?.podIP !== undefined ? { address: status.podIP } : {}),
    ...(ours ? factsOfOurs(metadata) : {}),
    ...(ours && scheduled?.status === "False"
      ? { unschedulable: scheduled.message ?? scheduled.reason ?? "" }
      : {}),
    engine: ours
      ? engineStateOf(status?.containerStatuses?.find(({ name }) => name === "engine"))
      : notStarted,
  };
}

function factsOfOurs({ creationTimestamp, annotations }: LiveMeta): Pick<Pod, "createdAt" | "isVictim"> {
  return {
    ...(creationTimestamp === undefined ? {} : { createdAt: creationTimestamp }),
    ...(annotations?.[victimAnnotation] === "true" ? { isVictim: true } : {}),
  };
}

const noDevices: Readonly<Record<string, number>> = Object.freeze({});

/** Only extended resources have a slash in their name; they come in whole numbers, with limits equal to requests. */
function devicesOf(containers: NonNullable<NonNullable<RawPod["spec"]>["containers"]>): Pod["devices"] {
  let devices: Record<string, number> | undefined;
  for (const { resources } of containers) {
    for (const [name, quantity] of Object.entries(resources?.limits ?? resources?.requests ?? {})) {
      if (!name.includes("/")) continue;
      devices ??= {};
      devices[name] = (devices[name] ?? 0) + Number(quantity);
    }
  }
  return devices ?? noDevices;
}

const notStarted: EngineState = Object.freeze({});

function engineStateOf(status: RawContainerStatus | undefined): EngineState {
  if (status === undefined) return notStarted;
  const { restartCount = 0 } = status;
  const { running, waiting, terminated } = status.state ?? {};
  const lastExit = terminated ?? status.lastState?.terminated;
  return {
    ...(running?.startedAt === undefined ? {} : { startedAt: running.startedAt }),
    ...(waiting?.reason === undefined
      ? {}
      : { waiting: { reason: waiting.reason, message: waiting.message ?? "" } }),
    ...(lastExit === undefined
      ? {}
      : {
          lastExit: {
            exitCode: lastExit.exitCode,
            reason: lastExit.reason ?? "Error",
            message: lastExit.message ?? "",
          },
        }),
    ...(restartCount > 0 ? { restarts: restartCount } : {}),
  };
}
