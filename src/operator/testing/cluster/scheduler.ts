// Gives pods nodes, after kube-scheduler's default profile: a queue by priority, then age; filters for node selectors,
// taints, cordons, claims and resources; the emptiest node wins.
//
// Differs from the real one: a pod of higher priority takes free room first and evicts nobody (no preemption); no
// affinity, spreading or volumes beyond a claim's existence; "emptiest" is by requested GPUs, then CPU, then name; every
// change of pods, nodes or claims lets all waiting pods be tried again at once, where the real one backs off.
import { quantityValue } from "@llama-operator/llama/planning";
import { ControlLoop, watched, type ClusterParts } from "./control-loop.ts";
import {
  isActive,
  matches,
  timestamp,
  types,
  withCondition,
  type Condition,
  type Node,
  type Pod,
  type PodSpec,
  type Toleration,
} from "./objects.ts";

const all = { name: "all" };

export function scheduler(parts: ClusterParts): ControlLoop {
  const everything = (): readonly [typeof all] => [all];
  return new ControlLoop(
    parts,
    [
      watched(types.pods, everything),
      watched(types.nodes, everything),
      watched(types.persistentVolumeClaims, everything),
    ],
    () => schedule(parts),
  );
}

function schedule(parts: ClusterParts): void {
  const { server } = parts;
  const waiting = server
    .list(types.pods)
    .filter(({ spec, metadata }) => spec.nodeName === undefined && metadata.deletionTimestamp === undefined)
    .filter(isActive)
    .toSorted((one, other) => (other.spec.priority ?? 0) - (one.spec.priority ?? 0));
  for (const pod of waiting) place(parts, pod);
}

function place({ server, clock }: ClusterParts, pod: Pod): void {
  const nodes = server.list(types.nodes);
  const refusals = new Map<string, number>();
  const fitting: { readonly node: Node; readonly load: Load }[] = [];
  const claim = missingClaim(server.list(types.persistentVolumeClaims, pod.metadata.namespace), pod);
  if (claim === undefined) {
    const bound = server
      .list(types.pods)
      .filter(({ status }) => status?.phase !== "Failed" && status?.phase !== "Succeeded");
    for (const node of nodes) {
      const used = usedOf(node, bound);
      const reasons = refusalsOf(node, pod.spec, used);
      if (reasons.length === 0) fitting.push({ node, load: loadOf(node, used) });
      for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    }
  }
  const [best] = fitting.toSorted(
    (one, other) =>
      one.load.gpus - other.load.gpus ||
      one.load.cpu - other.load.cpu ||
      (one.node.metadata.name < other.node.metadata.name ? -1 : 1),
  );
  const now = timestamp(clock.now());
  const conditions = pod.status?.conditions;
  const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
  if (best === undefined) {
    const counted = [...refusals.keys()]
      .toSorted((one, other) => (one < other ? -1 : 1))
      .map((reason) => `${refusals.get(reason)} ${reason}`);
    const why = claim === undefined ? counted.join(", ") : `persistentvolumeclaim "${claim}" not found`;
    const message = `0/${nodes.length} nodes are available: ${why}.`;
    const unschedulable: Condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
    };
    server.setStatus(types.pods, ref, {
      ...pod.status,
      conditions: withCondition(conditions, unschedulable, now),
    });
    return;
  }
  const placed = { ...pod, spec: { ...pod.spec, nodeName: best.node.metadata.name } };
  server.update(types.pods, placed, "kube-scheduler");
  const scheduled: Condition = { type: "PodScheduled", status: "True" };
  server.setStatus(types.pods, ref, { ...pod.status, conditions: withCondition(conditions, scheduled, now) });
}

function missingClaim(
  claims: readonly { readonly metadata: { readonly name: string } }[],
  { spec }: Pod,
): string | undefined {
  const there = new Set(claims.map(({ metadata }) => metadata.name));
  return (spec.volumes ?? [])
    .map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName)
    .find((name) => name !== undefined && !there.has(name));
}

type Amounts = ReadonlyMap<string, number>;

interface Load {
  readonly gpus: number;
  readonly cpu: number;
}

function requestsOf({ containers }: PodSpec): Amounts {
  const sum = new Map<string, number>([["pods", 1]]);
  for (const { resources } of containers) {
    for (const [name, text] of Object.entries({ ...resources?.limits, ...resources?.requests })) {
      sum.set(name, (sum.get(name) ?? 0) + (quantityValue(text) ?? 0));
    }
  }
  return sum;
}

function usedOf(node: Node, pods: readonly Pod[]): Amounts {
  const used = new Map<string, number>();
  for (const { spec } of pods) {
    if (spec.nodeName !== node.metadata.name) continue;
    for (const [name, amount] of requestsOf(spec)) used.set(name, (used.get(name) ?? 0) + amount);
  }
  return used;
}

/** Shares that are in use: of extended resources the largest, and of CPU. */
function loadOf({ status }: Node, used: Amounts): Load {
  const share = (name: string): number =>
    (used.get(name) ?? 0) / (quantityValue(status?.allocatable?.[name] ?? "") ?? 1);
  const extended = Object.keys(status?.allocatable ?? {}).filter((name) => name.includes("/"));
  return { gpus: Math.max(0, ...extended.map(share)), cpu: share("cpu") };
}

/** The first filter that refuses decides; resources that are short are all named. */
function refusalsOf(node: Node, pod: PodSpec, used: Amounts): readonly string[] {
  if (node.spec?.unschedulable === true) return ["node(s) were unschedulable"];
  const taint = node.spec?.taints?.find(
    ({ key, value, effect }) =>
      effect !== "PreferNoSchedule" &&
      !(pod.tolerations ?? []).some((each) => tolerates(each, { key, value, effect })),
  );
  if (taint !== undefined) return [`node(s) had untolerated taint(s)`];
  if (!matches(node.metadata.labels, pod.nodeSelector))
    return ["node(s) didn't match Pod's node affinity/selector"];
  return [...requestsOf(pod)]
    .filter(
      ([name, amount]) =>
        amount > (quantityValue(node.status?.allocatable?.[name] ?? "0") ?? 0) - (used.get(name) ?? 0),
    )
    .map(([name]) => (name === "pods" ? "Too many pods" : `Insufficient ${name}`));
}

export function tolerates(
  toleration: Toleration,
  taint: { readonly key: string; readonly value?: string | undefined; readonly effect: string },
): boolean {
  const { key, operator = "Equal", value = "", effect } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === "Exists";
  return key === taint.key && (operator === "Exists" || value === (taint.value ?? ""));
}
