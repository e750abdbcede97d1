// What status says of small worlds: each case is one line of conditions, as a person would read them.
import { describe, expect, test } from "vitest";
import { reasons } from "@llama-operator/llama/api";
import type { Replica } from "./replicas.ts";
import { statusOf, type Findings } from "./status.ts";

const now = new Date("2026-11-23T10:00:00.123Z");

function replica(over: Partial<Replica> = {}): Replica {
  return { revision: "new", pods: [], placed: true, ready: true, ...over };
}

function findings(over: Partial<Findings> = {}): Findings {
  return {
    generation: 3,
    wanted: 1,
    planSummary: "fits",
    currentRevision: "new",
    replicas: [replica()],
    leaving: 0,
    startupSeconds: 120,
    selector: "a=b",
    endpoint: "http://x.default.svc/v1",
    ...over,
  };
}

function conditionLines(over: Partial<Findings>): string[] {
  const { conditions = [] } = statusOf(findings(over), undefined, now);
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

const refused = { reason: reasons.DoesNotFit, message: "too big", waits: false, unplanned: true };

const cases: readonly [string, Partial<Findings>, readonly string[]][] = [
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
    { halt: refused, replicas: [replica({ revision: "old" })] },
    [
      "Ready=False DoesNotFit",
      "Available=True Serving",
      "Stalled=True DoesNotFit",
      "Planned=False DoesNotFit",
    ],
  ],
  [
    "no pool is there yet",
    { halt: { reason: reasons.NoPool, message: "none", waits: true, unplanned: true }, replicas: [] },
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
  test.each(cases)("when %s", (_title, over, expected) => {
    expect(conditionLines(over)).toEqual(expected);
  });

  test("keep their transition time while they say the same, so that a pass at rest writes nothing", () => {
    const first = statusOf(findings(), undefined, now);
    const second = statusOf(findings(), first, new Date("2026-11-23T11:00:00Z"));
    expect(second).toEqual(first);
    expect(first.conditions?.[0]?.lastTransitionTime).toBe("2026-11-23T10:00:00Z");
  });

  test("promise an absolute time while weights load, the same on every pass of the phase", () => {
    const loading = findings({ replicas: [replica({ ready: false, startedAt: "2026-11-23T09:59:00Z" })] });
    const { conditions } = statusOf(loading, undefined, now);
    expect(conditions?.find(({ type }) => type === "ModelLoaded")?.message).toBe(
      "weights are loading; expected to answer by 2026-11-23T10:01:00Z",
    );
  });
});
