// Wires the reader of engine reports: a pod that becomes ready wakes it where its revision's report is missing, and
// nothing else does.
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import { Controller, toLabelled, toSelf } from "@llama-operator/kube-runtime/controller";
import type { FetchText as GetPage } from "@llama-operator/kube-runtime/http";
import { deploymentLabel } from "../../workloads/labels.ts";
import { llamaDeployments } from "../../observed/kinds.ts";
import type { ControllerParts } from "../../parts.ts";
import type { RevisionReader } from "../revision/stored.ts";
import { answersFor, EngineReportReader, revisionWithoutReport } from "./reader.ts";
import type { EngineReports } from "./reports.ts";

/** Pods asked side by side; one that hangs takes its place for three seconds. */
const workers = 4;

export function engineReportController(
  parts: ControllerParts,
  shared: {
    readonly getPage: GetPage;
    readonly revisions: RevisionReader;
    readonly reports: EngineReports;
    readonly wake: (ref: ObjectRef) => void;
  },
): Controller {
  const { informers, caches, clock, logger, metrics, newId } = parts;
  const controller = new Controller({
    name: "engine-report",
    reconciler: new EngineReportReader({ caches, clock, ...shared }),
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
        return revision !== undefined && answersFor(object, revision);
      });
    },
  });
  return controller;
}
