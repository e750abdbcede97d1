// Takes what an engine of the revision said of itself into the pass. What is written stays, so that replicas, which may
// differ by a block, do not take turns.
import type { KvCacheReport } from "@llama-operator/llama/engines";
import type { EngineReports } from "./reports.ts";
import { measuredOf } from "./measured.ts";
import { goOn, type Step } from "../pass.ts";

export type Reports = Pick<EngineReports, "get">;

export function measuredStep(reports: Reports): Step {
  return {
    about: "workloads",
    run({ object, owner }, pass) {
      const revision = pass.revision?.data;
      if (revision === undefined) return goOn;
      const { currentRevision, plan } = object.status ?? {};
      const written = currentRevision === revision.hash ? plan?.measured : undefined;
      const report: KvCacheReport | undefined = reports.get({
        ref: owner,
        uid: owner.uid,
        revision: revision.hash,
      });
      const measured = written ?? (report && measuredOf(revision.plan, report));
      if (measured !== undefined) pass.measured = measured;
      return goOn;
    },
  };
}
