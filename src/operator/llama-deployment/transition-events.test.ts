// Which steps of a life become Kubernetes events, and that none is told twice.
import { describe, expect, test } from "vitest";
import { reasons } from "@llama-operator/llama/api";
import type { Replica } from "./replicas.ts";
import { statusOf, type Findings } from "./status.ts";
import { transitions } from "./transition-events.ts";

const now = new Date("2026-11-23T10:00:00Z");
const replica: Replica = { revision: "r", pods: [], placed: true, ready: true };
const findings: Findings = {
  generation: 1,
  wanted: 1,
  planSummary: "8B on one GPU",
  currentRevision: "r",
  replicas: [],
  leaving: 0,
  selector: "a=b",
  endpoint: "http://x",
};

function life(steps: readonly Partial<Findings>[]): string[] {
  let status: ReturnType<typeof statusOf> | undefined;
  return steps.flatMap((step) => {
    const next = statusOf({ ...findings, ...step }, status, now);
    const events = transitions(status, next).map(({ type, reason, action }) => `${type} ${action} ${reason}`);
    status = next;
    return events;
  });
}

/** A plan of which only the report matters. */
function planReporting(driftPercent: string): NonNullable<Findings["plan"]> {
  const measured = { kvCacheTokens: 95, driftPercent };
  return { kvCacheTokens: 100, measured } as NonNullable<Findings["plan"]>;
}

describe("events", () => {
  test("of an engine with less KV cache than planned are one warning a revision", () => {
    const serving = { replicas: [replica], plan: planReporting("-5.0") };
    expect(life([serving, serving, { ...serving, currentRevision: "s" }])).toEqual([
      "Normal Plan Fits",
      "Normal Serve Serving",
      "Warning Measure KvCacheSmallerThanPlanned",
      "Normal Serve RollingOut",
      "Warning Measure KvCacheSmallerThanPlanned",
    ]);
  });

  test("of an engine with what was planned, or a little less, are none", () => {
    const serving = { replicas: [replica], plan: planReporting("-3.0") };
    expect(life([serving])).not.toContain("Warning Measure KvCacheSmallerThanPlanned");
  });

  test("of a smooth start are the plan and the first answer", () => {
    expect(life([{}, { replicas: [{ ...replica, ready: false }] }, { replicas: [replica] }])).toEqual([
      "Normal Plan Fits",
      "Normal Serve Serving",
    ]);
  });

  test("of a refusal are one warning, however many conditions repeat it", () => {
    const halt = { reason: reasons.DoesNotFit, message: "too big", waits: false, unplanned: true };
    expect(life([{ halt }, { halt }])).toEqual(["Warning Plan DoesNotFit"]);
  });

  test("of a wait for GPUs are a warning, and nothing while it lasts", () => {
    const placement = { reason: reasons.WaitingForGpus, message: "none free" };
    expect(life([{ placement }, { placement }, { replicas: [replica] }])).toEqual([
      "Normal Plan Fits",
      "Warning Place WaitingForGpus",
      "Normal Serve Serving",
    ]);
  });

  test("of an engine that fails tell so once, and again only after it has served", () => {
    const failure = { reason: reasons.EngineFailed, message: "exit code 1" };
    const failed = { replicas: [{ ...replica, ready: false, failure }] };
    expect(life([failed, failed, { replicas: [replica] }, failed])).toEqual([
      "Normal Plan Fits",
      "Warning Load EngineFailed",
      "Normal Serve Serving",
      "Warning Load EngineFailed",
    ]);
  });
});
