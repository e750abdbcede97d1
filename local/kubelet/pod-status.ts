// The status that a kubelet writes for a pod, worked out from what its containers say. Conditions of others (the
// scheduler's, the disruption controller's) stay as they are.
import type { ContainerStatus, Pod, PodStatus } from "./pod.ts";

export interface PodView {
  readonly containers: readonly ContainerStatus[];
  /** Init containers still run: nothing else has started. */
  readonly initializing: boolean;
  /** No container will run again. */
  readonly over: boolean;
}

/** The fields of status that the kubelet owns. */
export type WrittenStatus = Pick<
  PodStatus,
  "phase" | "conditions" | "containerStatuses" | "initContainerStatuses"
>;

type Condition = NonNullable<PodStatus["conditions"]>[number];

/**
 * The status to write now.
 * @param now RFC 3339; the time of conditions that change
 */
export function podStatus(pod: Pod, view: PodView, now: string): WrittenStatus {
  const containers: readonly ContainerStatus[] = view.initializing
    ? view.containers.map((status) => ({
        ...status,
        state: { waiting: { reason: "PodInitializing" } },
        ready: false,
        started: false,
      }))
    : view.containers;
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const containersReady = unready.length === 0 && !view.over;
  const reason = view.over ? "PodCompleted" : "ContainersNotReady";
  const message = view.over ? undefined : `containers with unready status: [${unready.join(" ")}]`;
  const gatesOpen = (pod.spec?.readinessGates ?? []).every(
    ({ conditionType }) => conditionOf(pod, conditionType)?.status === "True",
  );
  const own: readonly Condition[] = [
    condition("Initialized", !view.initializing, "ContainersNotInitialized", undefined),
    containersReady && !gatesOpen
      ? condition("Ready", false, "ReadinessGatesNotReady", undefined)
      : condition("Ready", containersReady, reason, message),
    condition("ContainersReady", containersReady, reason, message),
  ];
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !own.some((mine) => mine.type === type));
  return {
    phase: phaseOf(containers, view),
    conditions: [...others, ...own.map((mine) => withTransition(mine, conditionOf(pod, mine.type), now))],
    containerStatuses: [...containers],
    ...(pod.spec?.initContainers === undefined
      ? {}
      : { initContainerStatuses: initStatuses(pod, view, now) }),
  };
}

/** Whether two statuses say the same; the times of conditions follow from the rest. */
export function sameStatus(left: WrittenStatus, right: WrittenStatus): boolean {
  return essence(left) === essence(right);
}

function essence({ phase, conditions, containerStatuses, initContainerStatuses }: WrittenStatus): string {
  const plain = conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]);
  return JSON.stringify([phase, plain, containerStatuses, initContainerStatuses?.map(({ ready }) => ready)]);
}

function condition(type: string, isTrue: boolean, reason: string, message: string | undefined): Condition {
  if (isTrue) return { type, status: "True" };
  return { type, status: "False", reason, ...(message === undefined ? {} : { message }) };
}

function withTransition(mine: Condition, before: Condition | undefined, now: string): Condition {
  const lastTransitionTime = before?.status === mine.status ? (before.lastTransitionTime ?? now) : now;
  return { ...mine, lastTransitionTime };
}

function conditionOf(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((candidate) => candidate.type === type);
}

function phaseOf(containers: readonly ContainerStatus[], view: PodView): NonNullable<PodStatus["phase"]> {
  if (view.over) {
    return containers.every(({ state }) => state?.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  }
  const hasStarted = containers.some(
    ({ state, lastState }) => state?.waiting === undefined || lastState?.terminated !== undefined,
  );
  return hasStarted ? "Running" : "Pending";
}

function initStatuses(pod: Pod, { initializing }: PodView, now: string): ContainerStatus[] {
  const before = pod.status?.initContainerStatuses ?? [];
  return (pod.spec?.initContainers ?? []).map(({ name, image = "" }): ContainerStatus => {
    const known = before.find((status) => status.name === name);
    const startedAt = known?.state?.terminated?.startedAt ?? known?.state?.running?.startedAt ?? now;
    const state = initializing
      ? { running: { startedAt } }
      : { terminated: { exitCode: 0, reason: "Completed", startedAt, finishedAt: now } };
    const done = known?.state?.terminated !== undefined && !initializing;
    return {
      name,
      image,
      imageID: "",
      ready: !initializing,
      started: initializing,
      restartCount: 0,
      state: done ? (known.state ?? state) : state,
      lastState: {},
    };
  });
}
