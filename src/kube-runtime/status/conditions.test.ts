import { expect, test } from "vitest";
import { mergeConditions, type Condition, type ConditionVerdict } from "./conditions.ts";

const before = "2026-11-23T10:00:00Z";
const later = { generation: 3, now: new Date("2026-11-23T11:00:00.750Z") };

const ready: Condition = {
  type: "Ready",
  status: "False",
  reason: "WaitingForGpus",
  message: "needs 8 GPUs, pool h100 has 3",
  observedGeneration: 2,
  lastTransitionTime: before,
};
const planned: Condition = {
  ...ready,
  type: "Planned",
  status: "True",
  reason: "Fits",
  message: "1 x 8 GPUs",
};

const verdict = (over: Partial<ConditionVerdict> = {}): ConditionVerdict => ({
  type: "Ready",
  status: "False",
  reason: "WaitingForGpus",
  message: "needs 8 GPUs, pool h100 has 3",
  ...over,
});

test("a new condition starts its clock now, in whole seconds", () => {
  const started = [{ ...verdict(), observedGeneration: 3, lastTransitionTime: "2026-11-23T11:00:00Z" }];
  expect(mergeConditions(undefined, [verdict()], later)).toEqual(started);
  expect(mergeConditions([], [verdict()], later)).toEqual(started);
  expect(mergeConditions([planned], [verdict()], later)).toEqual(started);
});

test.for(["True", "Unknown"] as const)("a change of status to %s restarts the clock", (status) => {
  expect(mergeConditions([ready], [verdict({ status })], later)).toEqual([
    { ...ready, status, observedGeneration: 3, lastTransitionTime: "2026-11-23T11:00:00Z" },
  ]);
});

test("a change of the message alone keeps the clock, and the new message is told", () => {
  const message = "needs 8 GPUs, pool h100 has 5";
  expect(mergeConditions([ready], [verdict({ message })], later)).toEqual([
    { ...ready, message, observedGeneration: 3 },
  ]);
});

test("a change of the reason alone keeps the clock, and the new reason is told", () => {
  const reason = "Fragmented";
  expect(mergeConditions([ready], [verdict({ reason })], later)).toEqual([
    { ...ready, reason, observedGeneration: 3 },
  ]);
});

test("a new generation alone keeps the clock", () => {
  expect(mergeConditions([ready], [verdict()], later)).toEqual([{ ...ready, observedGeneration: 3 }]);
});

test("a condition that no verdict names is gone, and starts anew when it comes back", () => {
  const without = mergeConditions([ready, planned], [verdict()], later);
  expect(without.map(({ type }) => type)).toEqual(["Ready"]);
  const [, again] = mergeConditions(
    without,
    [verdict(), { type: "Planned", status: "True", reason: "Fits", message: "1 x 8 GPUs" }],
    { ...later, now: new Date("2026-11-23T12:00:00Z") },
  );
  expect(again?.lastTransitionTime).toBe("2026-11-23T12:00:00Z");
});

test("the order is that of the verdicts, whatever it was before", () => {
  const verdicts = [verdict({ type: "Planned" }), verdict({ type: "Available" }), verdict()];
  const types = mergeConditions([ready, planned], verdicts, later).map(({ type }) => type);
  expect(types).toEqual(["Planned", "Available", "Ready"]);
});

test("the same verdicts again are the same bytes: nothing to write", () => {
  const verdicts = [verdict(), verdict({ type: "Planned", status: "True" })];
  const first = mergeConditions(undefined, verdicts, later);
  const second = mergeConditions(first, verdicts, { ...later, now: new Date("2026-11-24T00:00:00Z") });
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
});

test("a clock that another program wrote in its own form is kept as it is", () => {
  const lastTransitionTime = "2026-11-23T12:00:00.123+02:00";
  const [merged] = mergeConditions([{ ...ready, lastTransitionTime }], [verdict()], later);
  expect(merged?.lastTransitionTime).toBe(lastTransitionTime);
});

test("what it was given stays as it was", () => {
  const previous = Object.freeze([Object.freeze({ ...ready })]);
  mergeConditions(previous, Object.freeze([Object.freeze(verdict({ status: "True" }))]), later);
  expect(previous).toEqual([ready]);
});
