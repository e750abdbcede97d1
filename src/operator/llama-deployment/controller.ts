// Wires the LlamaDeployment controller and the reader of engine reports beside it: what wakes them, and for whom. An
// object's own children wake it; freed GPUs wake only those that wait for some.
import { refOf, type KubeObject, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { Controller, specChanged, toController, toSelf } from "@llama-operator/kube-runtime/controller";
import type { Informer } from "@llama-operator/kube-runtime/cache";
import type { Caches } from "../observed/caches.ts";
import { childInformers } from "../observed/informers.ts";
import { readinessChanged } from "../observed/node.ts";
import { deploymentsOf } from "../observed/pod.ts";
import { watched } from "../observed/watched.ts";
import type { ControllerParts } from "../parts.ts";
import { deploymentLabel } from "../workloads/labels.ts";
import { DesiredObjects } from "./children/desired-objects.ts";
import { engineReportController } from "./engine-report/controller.ts";
import { EngineReports } from "./engine-report/reports.ts";
import { LlamaDeploymentReconciler } from "./reconciler.ts";
import { stepsOf } from "./steps.ts";

const { type: llamaDeployments } = watched.llamaDeployments;

export function llamaDeploymentControllers(parts: ControllerParts): readonly Controller[] {
  const { informers, caches, capacity, revisions, applier, recorder, clock } = parts;
  const reports = new EngineReports();
  const desired = new DesiredObjects();
  const reconciler = new LlamaDeploymentReconciler({
    sources: { caches, capacity, revisions },
    steps: stepsOf({ ...parts, desired, reports }),
    applier,
    capacity,
    desired,
    record: (about, transition) => recorder.record(about, transition),
    clock,
  });
  const controller = new Controller({
    ...parts,
    name: "llamadeployment",
    reconciler,
    workers: parts.workers,
  });

  const all = caches.llamaDeployments;
  controller.watch(informers.llamaDeployments, toSelf, { predicate: specChanged });
  controller.watchStatus(informers.llamaDeployments, (object) =>
    applier.isOwnStatus(llamaDeployments, object),
  );
  controller.watch(informers.pods, deploymentsOf);
  controller.watch(
    informers.nodes,
    ({ metadata }) =>
      caches.pods
        .list()
        .filter(({ nodeName }) => nodeName === metadata.name)
        .flatMap(deploymentsOf),
    { predicate: (change) => change.type === "updated" && readinessChanged(change.previous, change.object) },
  );
  controller.watch(informers.gpuPools, () => all.list().map(refOf), { predicate: specChanged });
  controller.watch(informers.namespaces, ({ metadata }) => all.list(metadata.name).map(refOf), {
    predicate: specChanged,
  });
  controller.watch(informers.priorityClasses, ({ metadata }) =>
    all
      .list()
      .filter(({ spec }) => spec.podTemplate.priorityClassName === metadata.name)
      .map(refOf),
  );
  for (const informer of childInformers(informers)) watchChildren(controller, informer, caches);

  capacity.onFreed((waiting) => {
    for (const ref of waiting) controller.enqueue(ref);
  });
  const wake = (ref: ObjectRef): void => controller.enqueue(ref);
  if (!parts.engineReports) return [controller];
  return [controller, engineReportController(parts, { revisions, reports, wake })];
}

/** Wakes the owner of a child, and the LlamaDeployments that an object of nobody or of another owner stands in the way of. */
function watchChildren(
  controller: Controller,
  informer: Informer<KubeObject>,
  { llamaDeployments: deployments }: Pick<Caches, "llamaDeployments">,
): void {
  const owner = toController(llamaDeployments);
  controller.watch(informer, (object) => {
    const owners = [...owner(object)];
    if (owners.length > 0) return owners;
    const { namespace, name, labels } = object.metadata;
    // By the label that was left on it, by its name, and by that of revisions and workloads: `<name>-<hash>`.
    const names = new Set([
      labels?.[deploymentLabel],
      name,
      name.slice(0, Math.max(0, name.lastIndexOf("-"))),
    ]);
    return [...names].flatMap((each) => {
      const waiting = each === undefined ? undefined : deployments.get({ namespace, name: each });
      return waiting === undefined ? [] : [refOf(waiting)];
    });
  });
}
