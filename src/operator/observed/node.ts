// A node as the controllers see it: whether pods can go there, and what it has for them.
import { allocatableOf, type NodeResources } from "./resources.ts";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject, Live, LiveMeta } from "@llama-operator/kube-runtime/client";

export interface Node extends KubeObject {
  readonly metadata: LiveMeta & { readonly labels: Record<string, string> };
  /** Ready, not cordoned, not being deleted. */
  readonly usable: boolean;
  /** Set while it is not Ready: since when, and in Kubernetes' own word why. */
  readonly notReady?: { readonly since: string; readonly reason: string };
  /** Allocatable extended resources: `{"nvidia.com/gpu": 8}`. */
  readonly devices: Readonly<Record<string, number>>;
  /** Allocatable CPU, memory and disk; not limited where absent. */
  readonly allocatable?: NodeResources;
  /** Those that keep pods away which do not tolerate them: of effect NoSchedule or NoExecute; absent where it has none. */
  readonly taints?: readonly Taint[];
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

interface RawNode extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status?: { allocatable?: Record<string, string>; conditions?: RawCondition[] };
}

interface RawCondition {
  type: string;
  status: string;
  reason?: string;
  lastTransitionTime?: string;
}

/** Projects a node; drops heartbeats' changes, so that only what matters makes a difference. */
export function projectNode(raw: Live<KubeObject>): Node {
  const { metadata, spec, status, apiVersion, kind } = raw as Live<RawNode>;
  const condition = status?.conditions?.find(({ type }) => type === "Ready");
  const ready = condition?.status === "True";
  const taints = (spec?.taints ?? [])
    .filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute")
    .map(({ key, value = "", effect }) => ({ key, value, effect }));
  const devices = Object.entries(status?.allocatable ?? {}).filter(([name]) => name.includes("/"));
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      labels: metadata.labels ?? {},
    },
    usable: ready && spec?.unschedulable !== true && metadata.deletionTimestamp === undefined,
    ...(ready || condition?.lastTransitionTime === undefined
      ? {}
      : { notReady: { since: condition.lastTransitionTime, reason: condition.reason ?? condition.status } }),
    devices: Object.fromEntries(devices.map(([name, quantity]) => [name, Number(quantity)])),
    allocatable: allocatableOf(status?.allocatable),
    ...(taints.length === 0 ? {} : { taints }),
  };
}

/** Whether a node became Ready, or ceased to be, between two versions of it. */
export function readinessChanged(before: Node, after: Node): boolean {
  return before.notReady?.since !== after.notReady?.since;
}

/** Whether two versions of a node differ in what placement rests on. */
export function sameForPlacement(before: Node, after: Node): boolean {
  return (
    before.usable === after.usable &&
    sameEntries(before.devices, after.devices) &&
    isDeepStrictEqual(before.allocatable, after.allocatable) &&
    isDeepStrictEqual(before.taints, after.taints) &&
    sameEntries(before.metadata.labels, after.metadata.labels)
  );
}

function sameEntries(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): boolean {
  const keys = Object.keys(before);
  return keys.length === Object.keys(after).length && keys.every((key) => before[key] === after[key]);
}
