// What status says of small worlds: each case is one line of conditions, as a person would read them.
import { describe, expect, test } from "vitest";
import { reasons } from "@llama-operator/llama/api";
import { replica, story, type Story } from "./testing/stories.ts";
import { statusOf } from "./status.ts";

function conditionLines(told: Story): string[] {
  const { scope, pass } = story(told);
  const { conditions = [] } = statusOf(scope, pass);
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

const refused = { reason: reasons.DoesNotFit, message: "too big", recovers: false } as const;

const cases: readonly [string, Story, readonly string[]][] = [
  [
    "all wanted replicas answer",
    {},
    [
      "Ready=True Serving",
      "Available=True Serving",
      "Planned=True Fits",
      "Scheduled=True PodsScheduled",
      "ModelLoaded=True Loaded",
    ],
  ],
  [
    "a bad edit of a serving model",
    { block: refused, replicas: [replica({ revision: "old" })] },
    [
      "Ready=False DoesNotFit",
      "Available=True Serving",
      "Stalled=True DoesNotFit",
      "Planned=False DoesNotFit",
    ],
  ],
  [
    "no pool is there yet",
    { block: { reason: reasons.NoPool, message: "none", recovers: true }, replicas: [] },
    [
      "Ready=False NoPool",
      "Available=False NoReplicaReady",
      "Reconciling=True NoPool",
      "Planned=False NoPool",
    ],
  ],
  [
    "nothing is wanted and nothing runs",
    { wanted: 0, replicas: [] },
    ["Ready=True ScaledToZero", "Available=False ScaledToZero", "Planned=True Fits"],
  ],
  [
    "nothing is wanted and a pod is still leaving",
    { wanted: 0, replicas: [], leaving: 1 },
    [
      "Ready=False RollingOut",
      "Available=False ScaledToZero",
      "Reconciling=True RollingOut",
      "Planned=True Fits",
    ],
  ],
  [
    "weights are loading",
    { replicas: [replica({ ready: false, startedAt: "2026-11-23T09:59:00Z" })] },
    [
      "Ready=False ReplicasUnavailable",
      "Available=False NoReplicaReady",
      "Reconciling=True ReplicasUnavailable",
      "Planned=True Fits",
      "Scheduled=True PodsScheduled",
      "ModelLoaded=False Loading",
    ],
  ],
  [
    "a new revision comes up beside the old one",
    { replicas: [replica({ revision: "old" }), replica({ ready: false })] },
    [
      "Ready=False RollingOut",
      "Available=True Serving",
      "Reconciling=True RollingOut",
      "Planned=True Fits",
      "Scheduled=True PodsScheduled",
      "ModelLoaded=False Loading",
    ],
  ],
  [
    "the plan of an earlier release has a setting of an earlier spec",
    { differences: [{ setting: "max-num-seqs", one: "4", other: "1024" }] },
    [
      "Ready=True Serving",
      "Available=True Serving",
      "Planned=True Fits",
      "Scheduled=True PodsScheduled",
      "ModelLoaded=True Loaded",
      "PlanDiffers=True PlanDiffers",
    ],
  ],
  [
    "the engine refuses to start",
    {
      replicas: [
        replica({ ready: false, failure: { reason: reasons.EngineFailed, message: "exit code 1" } }),
      ],
    },
    [
      "Ready=False EngineFailed",
      "Available=False NoReplicaReady",
      "Reconciling=True EngineFailed",
      "Planned=True Fits",
      "Scheduled=True PodsScheduled",
      "ModelLoaded=False EngineFailed",
    ],
  ],
];

describe("conditions", () => {
  test.each(cases)("when %s", (_title, told, expected) => {
    expect(conditionLines(told)).toEqual(expected);
  });

  test("say the same again on the next pass, so that a pass at rest writes nothing", () => {
    const first = story({});
    const status = statusOf(first.scope, first.pass);
    const second = story({ previous: status, now: "2026-11-23T11:00:00Z" });
    expect(statusOf(second.scope, second.pass)).toEqual(status);
    expect(status.conditions?.[0]?.lastTransitionTime).toBe("2026-11-23T10:00:00Z");
  });

  test("promise an absolute time while weights load, the same on every pass of the phase", () => {
    const { scope, pass } = story({
      replicas: [replica({ ready: false, startedAt: "2026-11-23T09:59:00Z" })],
      startupSeconds: 120,
    });
    const { conditions } = statusOf(scope, pass);
    expect(conditions?.find(({ type }) => type === "ModelLoaded")?.message).toBe(
      "weights are loading; expected to answer by 2026-11-23T10:01:00Z",
    );
  });
});

describe("the wait for GPUs", () => {
  const placement = { reason: reasons.WaitingForGpus, message: "pool h100 has too few", forGpus: true };
  const waiting = { sinceMs: Date.parse("2026-11-23T09:00:00Z"), replicas: 1 };

  test("is a fact of its own, whose clock no message moves", () => {
    const { scope, pass } = story({ placement, waiting, replicas: [] });
    expect(statusOf(scope, pass).waitingForGpus).toEqual({ since: "2026-11-23T09:00:00.000Z", replicas: 1 });
  });

  test("is over with it", () => {
    const { scope, pass } = story({});
    expect(statusOf(scope, pass)).not.toHaveProperty("waitingForGpus");
  });
});

test("what a blocked generation leaves running is still told: endpoint, plan and revision in force", () => {
  const { scope, pass } = story({ block: refused, replicas: [replica({ revision: "old" })], inForce: "old" });
  expect(statusOf(scope, pass)).toMatchObject({
    currentRevision: "old",
    endpoint: "http://chat.default.svc/v1",
    readyReplicas: 1,
  });
});
