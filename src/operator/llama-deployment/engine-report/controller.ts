// Wires the reader of engine reports: a pod that becomes ready wakes it where its revision's report is missing, and
// nothing else does.
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import { Controller, toLabelled, toSelf } from "@llama-operator/kube-runtime/controller";
import { isReportingPod } from "../../engine-metrics/engine-target.ts";
import { deploymentLabel } from "../../workloads/labels.ts";
import { llamaDeployments } from "../../observed/kinds.ts";
import type { ControllerParts } from "../../parts.ts";
import type { RevisionReader } from "../revision/stored.ts";
import { EngineReportReader, revisionWithoutReport } from "./reader.ts";
import type { EngineReports } from "./reports.ts";

/** Pods asked side by side: they wait for pages, which EngineMetrics bounds; one that hangs takes a place for 3 s. */
const workers = 16;

export function engineReportController(
  parts: ControllerParts,
  shared: {
    readonly revisions: RevisionReader;
    readonly reports: EngineReports;
    readonly wake: (ref: ObjectRef) => void;
  },
): Controller {
  const { informers, caches, engineMetrics, clock, logger, metrics, newId } = parts;
  const controller = new Controller({
    name: "engine-report",
    reconciler: new EngineReportReader({ caches, engineMetrics, clock, ...shared }),
    workers,
    // It writes nothing, and a pod that hangs must not hold up a stop.
    abandonOnStop: true,
    clock,
    logger,
    metrics,
    newId,
  });
  controller.watch(informers.llamaDeployments, toSelf, {
    predicate: ({ type, object }) => type === "deleted" || revisionWithoutReport(object) !== undefined,
  });
  const toDeployment = toLabelled(deploymentLabel, llamaDeployments);
  controller.watch(informers.pods, toDeployment, {
    predicate: ({ type, object }) => {
      if (type === "deleted" || !object.ready) return false;
      return [...toDeployment(object)].some((ref) => {
        const deployment = caches.llamaDeployments.get(ref);
        const revision = deployment && revisionWithoutReport(deployment);
        return revision !== undefined && isReportingPod(object, revision);
      });
    },
  });
  return controller;
}
