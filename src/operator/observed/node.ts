// A node as the controllers see it: whether pods can go there, and how many devices it has.
import type { KubeObject, Live, LiveMeta } from "@llama-operator/kube-runtime/client";

export interface Node extends KubeObject {
  readonly metadata: LiveMeta & { readonly labels: Record<string, string> };
  /** Ready, not cordoned, not being deleted. */
  readonly usable: boolean;
  /** Set while it is not Ready: since when, and in Kubernetes' own word why. */
  readonly notReady?: { readonly since: string; readonly reason: string };
  /** Allocatable extended resources: `{"nvidia.com/gpu": 8}`. */
  readonly devices: Readonly<Record<string, number>>;
}

interface RawNode extends KubeObject {
  spec?: { unschedulable?: boolean };
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
