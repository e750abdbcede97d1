import { expect, test } from "vitest";

import { awaitsOf, type LiveObject, parseWaitFor, timeoutSeconds } from "./conditions.ts";

const live = (parts: Partial<LiveObject>): LiveObject => ({ apiVersion: "v1", kind: "Thing", ...parts });
const missing = (waitFor: string, object: LiveObject) =>
  parseWaitFor(waitFor).flatMap((missingIn) => missingIn(object) ?? []);

const ready = { type: "Ready", status: "True" };

test("a condition is met when it is true, whatever the case", () => {
  expect(missing("condition=ready", live({ status: { conditions: [ready] } }))).toEqual([]);
  expect(missing("condition=Ready=False", live({ status: { conditions: [ready] } }))).toEqual([
    "condition Ready is True",
  ]);
});

test("what a condition says is part of what is missing", () => {
  const conditions = [{ type: "Ready", status: "False", reason: "Loading", message: "12 of 16 shards" }];
  expect(missing("condition=Ready", live({ status: { conditions } }))).toEqual([
    "condition Ready is False (Loading: 12 of 16 shards)",
  ]);
});

test("a condition of an older generation does not count", () => {
  const object = live({
    metadata: { generation: 2 },
    status: { observedGeneration: 1, conditions: [ready] },
  });
  expect(missing("condition=Ready", object)).toEqual(["generation 1 is observed, and 2 is wanted"]);
});

test("a path may be asked for its value or for being there", () => {
  const object = live({ status: { phase: "Bound", addresses: [{ ip: "127.0.0.1" }] } });
  expect(missing("jsonpath={.status.phase}=Bound", object)).toEqual([]);
  expect(missing("jsonpath={.status.addresses[0].ip}", object)).toEqual([]);
  expect(missing("jsonpath={.status.phase}=Lost", object)).toEqual(['.status.phase is "Bound", not Lost']);
});

test("all of a list must hold", () => {
  const object = live({ status: { phase: "Bound", conditions: [] } });
  expect(missing('["condition=Ready","jsonpath={.status.phase}=Bound"]', object)).toEqual([
    "the condition Ready is not there",
  ]);
});

test("an annotation that says neither is refused", () => {
  expect(() => parseWaitFor("ready")).toThrow('"ready" is neither condition=… nor jsonpath=…');
});

test("an object that skips waiting waits for nothing, and a kind without readiness neither", () => {
  const deployment = { apiVersion: "apps/v1", kind: "Deployment" };
  expect(awaitsOf(deployment)).toHaveLength(1);
  expect(awaitsOf({ ...deployment, metadata: { annotations: { "pulumi.com/skipAwait": "true" } } })).toEqual(
    [],
  );
  expect(awaitsOf({ apiVersion: "v1", kind: "ConfigMap" })).toEqual([]);
});

test("the resource's own timeout comes first, then the annotation, then the kind's", () => {
  const annotated = { kind: "Thing", metadata: { annotations: { "pulumi.com/timeoutSeconds": "30" } } };
  expect(timeoutSeconds(annotated, 7)).toBe(7);
  expect(timeoutSeconds(annotated, 0)).toBe(30);
  expect(timeoutSeconds({ kind: "Thing" }, 0)).toBe(300);
});

test("a Deployment is there when its newest ReplicaSet is", () => {
  const [available] = awaitsOf({ apiVersion: "apps/v1", kind: "Deployment" });
  const conditions = [
    { type: "Available", status: "True" },
    { type: "Progressing", status: "True", reason: "ReplicaSetUpdated" },
  ];
  const object = live({ metadata: { generation: 1 }, status: { observedGeneration: 1, conditions } });
  expect(available?.(object)).toBe("the new ReplicaSet is not available (ReplicaSetUpdated)");
});
