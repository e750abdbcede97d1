import { expect, test } from "vitest";
import { FaultLedger } from "./faults.ts";
import type { Pod } from "./pod.ts";

const crash = "sim.llama-operator.dev/crash-after-seconds";
const oom = "sim.llama-operator.dev/oom";

function pod(uid: string, annotations: Readonly<Record<string, string>>, owner?: string): Pod {
  const ownerReferences =
    owner === undefined
      ? []
      : [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: uid,
      namespace: "default",
      uid,
      resourceVersion: "1",
      annotations: { ...annotations },
      ownerReferences,
    },
  };
}

test.each([
  ["every start", "5", ["5", "5", "5"]],
  ["the first start", "5 once", ["5", undefined, undefined]],
  ["two starts", "5 x2", ["5", "5", undefined]],
  ["one start, with no value", "once", ["true", undefined, undefined]],
])("a fault hits %s", (_, value, expected) => {
  const ledger = new FaultLedger();
  const faulty = [1, 2, 3].map(() => ledger.take(pod("a", { [crash]: value }), crash));
  expect(faulty).toEqual(expected);
});

test("limited faults are counted for the workload: a pod that replaces another is spared", () => {
  const ledger = new FaultLedger();
  expect(ledger.take(pod("a", { [oom]: "once" }, "replica-set"), oom)).toBe("true");
  expect(ledger.take(pod("b", { [oom]: "once" }, "replica-set"), oom)).toBeUndefined();
  expect(ledger.take(pod("c", { [oom]: "once" }, "another"), oom)).toBe("true");
});

test("the faults of a start are numbers and switches", () => {
  const annotations = {
    [crash]: "2.5",
    "sim.llama-operator.dev/exit-code": "42",
    "sim.llama-operator.dev/load-factor": "3",
    "sim.llama-operator.dev/hang": "false",
  };
  expect(new FaultLedger().takeEngineFaults(pod("a", annotations))).toEqual({
    crashAfterSeconds: 2.5,
    exitCode: 42,
    loadFactor: 3,
    hang: false,
    outOfMemory: false,
  });
});
