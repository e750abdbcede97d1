import { expect, test } from "vitest";
import { inOrderOfDeletion } from "./victims.ts";
import type { Pod } from "./objects.ts";

const now = Date.parse("2026-01-01T01:00:00Z");

interface Facts {
  readonly node?: string;
  readonly phase?: "Pending" | "Running";
  readonly ready?: boolean;
  readonly cost?: number;
  readonly restarts?: number;
  readonly readyAt?: string;
  readonly createdAt?: string;
}

function pod(name: string, facts: Facts = {}): Pod {
  const { node = name, phase = "Running", ready = true, cost, restarts = 0 } = facts;
  const { readyAt = "2026-01-01T00:10:00Z", createdAt = "2026-01-01T00:00:00Z" } = facts;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: createdAt,
      ...(cost === undefined
        ? {}
        : { annotations: { "controller.kubernetes.io/pod-deletion-cost": String(cost) } }),
    },
    spec: { ...(node === "" ? {} : { nodeName: node }), containers: [] },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: readyAt }],
      containerStatuses: [
        { name: "engine", ready, started: true, restartCount: restarts, state: {}, lastState: {} },
      ],
    },
  };
}

const order = (...pods: readonly Pod[]) =>
  inOrderOfDeletion(pods, pods, now).map(({ metadata }) => metadata.name);

test.each([
  ["one without a node", pod("b", { node: "", cost: 1000 }), pod("a", { phase: "Pending", ready: false })],
  [
    "one that is pending",
    pod("b", { phase: "Pending", ready: false, cost: 1000 }),
    pod("a", { ready: false }),
  ],
  ["one that is not ready", pod("b", { ready: false, cost: 1000 }), pod("a", { cost: -1000 })],
  ["one that costs less", pod("b", { cost: -1, restarts: 0 }), pod("a", { restarts: 5 })],
  ["one that was ready for much less long", pod("b", { readyAt: "2026-01-01T00:59:00Z" }), pod("a")],
  ["one that has restarted more", pod("b", { restarts: 2 }), pod("a")],
  ["one that is much younger", pod("b", { createdAt: "2026-01-01T00:59:00Z" }), pod("a")],
])("%s goes first", (_, first, second) => {
  expect(order(first, second)).toEqual(["b", "a"]);
  expect(order(second, first)).toEqual(["b", "a"]);
});

test("of pods that are ready and cost the same, one with siblings on its node goes first", () => {
  expect(order(pod("a"), pod("b", { node: "shared" }), pod("c", { node: "shared" }))).toEqual([
    "b",
    "c",
    "a",
  ]);
});

test("ages of one power of two are alike, and the uid decides", () => {
  const older = pod("a", { readyAt: "2026-01-01T00:10:00Z" });
  const younger = pod("b", { readyAt: "2026-01-01T00:15:00Z" });
  expect(order(younger, older)).toEqual(["a", "b"]);
});
