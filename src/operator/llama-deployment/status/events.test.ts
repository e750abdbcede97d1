// Which steps of a life become Kubernetes events, and that none is told twice.
import { describe, expect, test } from "vitest";
import { reasons } from "@llama-operator/llama/api";
import { transitions } from "./events.ts";
import { statusOf } from "./status.ts";
import { replica, story, type Story } from "./testing/stories.ts";

function life(steps: readonly Story[]): string[] {
  let status: ReturnType<typeof statusOf> | undefined;
  return steps.flatMap((step) => {
    const { scope, pass } = story({ replicas: [], ...step, ...(status && { previous: status }) });
    const next = statusOf(scope, pass);
    const events = transitions(status, next).map(({ type, reason, action }) => `${type} ${action} ${reason}`);
    status = next;
    return events;
  });
}

const reporting = (driftPercent: string) => ({ kvCacheTokens: 95, driftPercent });

describe("events", () => {
  test("of an engine with less KV cache than planned are one warning a revision", () => {
    const serving = { replicas: [replica()], measured: reporting("-5.0") };
    expect(life([serving, serving, { ...serving, revision: "s" }])).toEqual([
      "Normal Plan Fits",
      "Normal Serve Serving",
      "Warning Measure KvCacheSmallerThanPlanned",
      "Normal Serve RollingOut",
      "Warning Measure KvCacheSmallerThanPlanned",
    ]);
  });

  test("of an engine with what was planned, or a little less, are none", () => {
    const serving = { replicas: [replica()], measured: reporting("-3.0") };
    expect(life([serving])).not.toContain("Warning Measure KvCacheSmallerThanPlanned");
  });

  test("of a smooth start are the plan and the first answer", () => {
    expect(life([{}, { replicas: [replica({ ready: false })] }, { replicas: [replica()] }])).toEqual([
      "Normal Plan Fits",
      "Normal Serve Serving",
    ]);
  });

  test("of a refusal are one warning, however many conditions repeat it", () => {
    const block = { reason: reasons.DoesNotFit, message: "too big", recovers: false } as const;
    expect(life([{ block }, { block }])).toEqual(["Warning Plan DoesNotFit"]);
  });

  test("of a wait for GPUs are a warning, and nothing while it lasts", () => {
    const placement = { reason: reasons.WaitingForGpus, message: "none free", forGpus: true };
    expect(life([{ placement }, { placement }, { replicas: [replica()] }])).toEqual([
      "Normal Plan Fits",
      "Warning Place WaitingForGpus",
      "Normal Serve Serving",
    ]);
  });

  test("of an engine that fails tell so once, and again only after it has served", () => {
    const failure = { reason: reasons.EngineFailed, message: "exit code 1" };
    const failed = { replicas: [replica({ ready: false, failure })] };
    expect(life([failed, failed, { replicas: [replica()] }, failed])).toEqual([
      "Normal Plan Fits",
      "Warning Load EngineFailed",
      "Normal Serve Serving",
      "Warning Load EngineFailed",
    ]);
  });
});
