// Wires the LlamaDeployment controller and the reader of engine reports beside it: what wakes them, and for whom. An
// object's own children wake it; changes of room, pools or other people's objects wake only those that wait for such.
import { type KubeObject, type Live, type ObjectRef, objectKey } from "@llama-operator/kube-runtime/client";
import {
  Controller,
  specChanged,
  toController,
  toLabelled,
  toSelf,
} from "@llama-operator/kube-runtime/controller";
import type { Informer } from "@llama-operator/kube-runtime/cache";
import { deploymentLabel, plannedByUs } from "../workloads/labels.ts";
import type { ControllerParts } from "../parts.ts";
import { llamaDeployments } from "../observed/kinds.ts";
import { sameForPlacement } from "../observed/node.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";
import { NodeClaims } from "../capacity/claims.ts";
import { engineReportController } from "./engine-report/controller.ts";
import { EngineReports } from "./engine-report/reports.ts";
import { LlamaDeploymentReconciler } from "./reconciler.ts";
import { RevisionReader } from "./revisions.ts";
import { Waiters } from "./waiters.ts";

/** Room changes in bursts; those that wait for it are woken once a burst. */
const wakeAfterMs = 200;

export function llamaDeploymentControllers(parts: ControllerParts): readonly Controller[] {
  const { informers, caches, rooms, applier, recorder, clock, measuredOverheads } = parts;
  const revisions = new RevisionReader();
  const reports = new EngineReports();
  const waiters = new Waiters();
  const reconciler = new LlamaDeploymentReconciler({
    sources: { caches, rooms },
    applier,
    revisions,
    claims: new NodeClaims(caches, revisions),
    waiters,
    reports,
    measuredOverheads,
    record: (about, transition) => recorder.record(about, transition),
    clock,
  });
  const controller = new Controller({
    ...parts,
    name: "llamadeployment",
    reconciler,
    workers: parts.workers,
  });
  const wakeWaiters = (): void => {
    for (const ref of waiters.list()) controller.queue.add(objectKey(ref), { afterMs: wakeAfterMs });
  };

  controller.watch(informers.llamaDeployments, toSelf, { predicate: specChanged });
  controller.watch(informers.pods, toLabelled(deploymentLabel, llamaDeployments));
  controller.watch(informers.gpuPools, () => caches.llamaDeployments.list().map(refOfDeployment), {
    predicate: specChanged,
  });
  controller.watch(
    informers.namespaces,
    ({ metadata }) => caches.llamaDeployments.list(metadata.name).map(refOfDeployment),
    { predicate: specChanged },
  );
  const children = [
    informers.services,
    informers.serviceAccounts,
    informers.podDisruptionBudgets,
    informers.controllerRevisions,
    informers.deployments,
    informers.leaderWorkerSets,
  ];
  for (const informer of children) watchChildren(controller, informer, waiters);

  informers.nodes.onChange((change) => {
    if (change.type !== "updated" || !sameForPlacement(change.previous, change.object)) wakeWaiters();
  });
  informers.pods.onChange((change) => {
    const before = change.type === "updated" ? change.previous : change.object;
    if (
      change.type !== "added" &&
      freesDevices(before, change.type === "updated" ? change.object : undefined)
    ) {
      wakeWaiters();
    }
  });
  const wake = (ref: ObjectRef): void => controller.enqueue(ref);
  const { getPage } = parts;
  if (getPage === undefined) return [controller];
  return [controller, engineReportController(parts, { getPage, revisions, reports, wake })];
}

/** Wakes the owner of a child, and whoever waits for a name that somebody else holds. */
function watchChildren(controller: Controller, informer: Informer<KubeObject>, waiters: Waiters): void {
  const owner = toController(llamaDeployments);
  controller.watch(informer, (object) => {
    const owners = [...owner(object)];
    return plannedByUs(object.metadata.labels) ? owners : [...owners, ...waiters.named(object)];
  });
}

function freesDevices(before: Live<Pod>, after: Live<Pod> | undefined): boolean {
  return holdsDevices(before) && (after === undefined || !holdsDevices(after));
}

function refOfDeployment({ metadata }: Live<KubeObject>): ObjectRef {
  return { namespace: metadata.namespace, name: metadata.name };
}
