// Logger and registry from outside: what comes out as JSON, and what Prometheus scrapes.
import { describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "@llama-operator/kube-runtime/client";
import { RuntimeMetrics } from "@llama-operator/kube-runtime";
import { createLogger } from "./logger.ts";
import { PrometheusRegistry } from "./metrics.ts";

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ level: "debug", destination: { write: (line) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the logger", () => {
  test("writes one JSON object a line, with the fields of its parents", () => {
    const [line] = logged((log) =>
      log.child({ controller: "a" }).child({ name: "one" }).info("done", { tookMs: 3 }),
    );
    expect(line).toMatchObject({ level: "info", message: "done", controller: "a", name: "one", tookMs: 3 });
  });

  test("writes errors as data, with their causes, and a stack only where they are unexpected", () => {
    const expected = new ConnectionError("timeout", "GET /x", { cause: new Error("slow") });
    const surprise = new TypeError("oops");
    const [first, second] = logged((log) => {
      log.error("failed", { error: expected });
      log.error("failed", { error: surprise });
    });
    expect(first?.["error"]).toMatchObject({
      name: "ConnectionError",
      code: "timeout",
      cause: { message: "slow" },
    });
    expect(first?.["error"]).not.toHaveProperty("stack");
    expect(second?.["error"]).toHaveProperty("stack");
  });

  test("never writes a secret, wherever it hides", () => {
    const token = `hf_${"a".repeat(34)}`;
    const jwt = "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl";
    const text = JSON.stringify(
      logged((log) => {
        log.info("sent", { headers: { authorization: "Bearer abc123" }, password: "hunter2" });
        log.error("failed", { error: new Error(`refused token ${token} and Bearer abc123`) });
        log.error("failed", { error: new ApiError("GET /x", { code: 401, message: `bad ${jwt}` }) });
      }),
    );
    for (const secret of [token, jwt, "abc123", "hunter2"]) expect(text).not.toContain(secret);
  });
});

describe("the registry", () => {
  test("has every series of a controller at zero before anything happened", async () => {
    const registry = new PrometheusRegistry();
    const metrics = new RuntimeMetrics(registry);
    metrics.controller("parent", 4);
    metrics.controller("other", 1);
    metrics.queue("parent");
    metrics.leader("operator");
    const { text } = await registry.page();
    for (const line of [
      'controller_runtime_reconcile_total{controller="parent",result="success"} 0',
      'controller_runtime_reconcile_total{controller="other",result="error"} 0',
      'controller_runtime_reconcile_errors_total{controller="parent"} 0',
      'controller_runtime_terminal_reconcile_errors_total{controller="parent"} 0',
      'controller_runtime_reconcile_panics_total{controller="parent"} 0',
      'controller_runtime_max_concurrent_reconciles{controller="parent"} 4',
      'controller_runtime_reconcile_time_seconds_count{controller="parent"} 0',
      'workqueue_depth{name="parent",controller="parent"} 0',
      'leader_election_master_status{name="operator"} 0',
    ]) {
      expect(text).toContain(line);
    }
  });

  test("writes the text format of Prometheus, values and labels of every form", async () => {
    const registry = new PrometheusRegistry();
    registry
      .counter({ name: "writes_total", help: "Writes.", labels: ["kind"] })
      .with({ kind: 'a "b"\n\\c' })
      .inc();
    registry.gauge({ name: "age_seconds", help: 'Age, "so far".', labels: [] }).with({}).set(0.5);
    const buckets = [0.1, 1];
    const seconds = registry.histogram({ name: "took_seconds", help: "Time.", labels: [], buckets }).with({});
    seconds.observe(0.1);
    seconds.observe(30);
    const { contentType, text } = await registry.page();
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toBe(
      String.raw`# HELP writes_total Writes.
# TYPE writes_total counter
writes_total{kind="a \"b\"\n\\c"} 1

# HELP age_seconds Age, "so far".
# TYPE age_seconds gauge
age_seconds 0.5

# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 30.1
took_seconds_count 2
`,
    );
  });

  test("asks gauges that change by themselves before it is read", async () => {
    const registry = new PrometheusRegistry();
    const gauge = registry.gauge({ name: "age_seconds", help: "Age.", labels: [] }).with({});
    registry.beforeCollect(() => gauge.set(7));
    expect((await registry.page()).text).toContain("age_seconds 7");
  });

  test("forgets the series of a gauge that is cleared", async () => {
    const registry = new PrometheusRegistry();
    const gauge = registry.gauge({ name: "drift_ratio", help: "Drift.", labels: ["gpu"] });
    gauge.with({ gpu: "old" }).set(1);
    gauge.clear();
    gauge.with({ gpu: "new" }).set(2);
    const { text } = await registry.page();
    expect(text).toContain('drift_ratio{gpu="new"} 2');
    expect(text).not.toContain("old");
  });
});
