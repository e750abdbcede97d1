// Which pods of a ReplicaSet go first: ActivePodsWithRanks.Less of Kubernetes 1.35 (pkg/controller/controller_utils.go),
// with the features that are on by default: pod deletion cost and logarithmic scale-down.
import { isReady, type Pod } from "./objects.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phases: readonly (string | undefined)[] = ["Pending", "Unknown", "Running"];

/**
 * The pods in the order in which they are deleted.
 * @param related active pods of all ReplicaSets of the same owner: those on one node make a pod there go sooner
 */
export function inOrderOfDeletion(
  pods: readonly Pod[],
  related: readonly Pod[],
  nowMs: number,
): readonly Pod[] {
  const onNode = new Map<string, number>();
  for (const { spec } of related) onNode.set(spec.nodeName ?? "", (onNode.get(spec.nodeName ?? "") ?? 0) + 1);
  const rank = ({ spec }: Pod): number => onNode.get(spec.nodeName ?? "") ?? 0;
  return pods.toSorted(
    (one, other) =>
      falseFirst(isAssigned(one), isAssigned(other)) ||
      phases.indexOf(phaseOf(one)) - phases.indexOf(phaseOf(other)) ||
      falseFirst(isReady(one), isReady(other)) ||
      costOf(one) - costOf(other) ||
      rank(other) - rank(one) ||
      (isReady(one) ? byAge(readySince(one), readySince(other), one, other, nowMs) : 0) ||
      restartsOf(other) - restartsOf(one) ||
      byAge(createdAt(one), createdAt(other), one, other, nowMs),
  );
}

function falseFirst(one: boolean, other: boolean): number {
  return Number(one) - Number(other);
}

function isAssigned({ spec }: Pod): boolean {
  return spec.nodeName !== undefined && spec.nodeName !== "";
}

function phaseOf({ status }: Pod): string {
  return status?.phase ?? "Pending";
}

function costOf({ metadata }: Pod): number {
  return Number(metadata.annotations?.[costAnnotation] ?? 0);
}

function restartsOf({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function readySince({ status }: Pod): number {
  return Date.parse(status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
}

function createdAt({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}

/** The younger first; ages of one power of two (of nanoseconds) are alike, and then the uid decides. */
function byAge(oneMs: number, otherMs: number, one: Pod, other: Pod, nowMs: number): number {
  if (oneMs === otherMs) return 0;
  const difference = magnitude(nowMs - oneMs) - magnitude(nowMs - otherMs);
  return difference === 0 ? (one.metadata.uid < other.metadata.uid ? -1 : 1) : difference;
}

function magnitude(ageMs: number): number {
  return ageMs > 0 ? Math.trunc(Math.log2(ageMs * 1e6)) : -1;
}
