// A node as the controllers see it: whether pods can go there, and how many devices it has.
import type { KubeObject, Live, LiveMeta } from "@llama-operator/kube-runtime/client";

export interface Node extends KubeObject {
  readonly metadata: LiveMeta & { readonly labels: Record<string, string> };
  /** Ready, not cordoned, not being deleted. */
  readonly usable: boolean;
  /** Allocatable extended resources: `{"nvidia.com/gpu": 8}`. */
  readonly devices: Readonly<Record<string, number>>;
}

interface RawNode extends KubeObject {
  spec?: { unschedulable?: boolean };
  status?: { allocatable?: Record<string, string>; conditions?: { type: string; status: string }[] };
}

/** Projects a node; drops heartbeats' changes, so that only what matters makes a difference. */
export function projectNode(raw: Live<KubeObject>): Node {
  const { metadata, spec, status, apiVersion, kind } = raw as Live<RawNode>;
  const ready =
    status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
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
    devices: Object.fromEntries(devices.map(([name, quantity]) => [name, Number(quantity)])),
  };
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
