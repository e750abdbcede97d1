import { expect, test } from "vitest";
import type { BuildEvent } from "./build.ts";
import { duration, showBuildProgress } from "./progress.ts";

const events: readonly BuildEvent[] = [
  { kind: "waiting", holderPid: 42 },
  { kind: "building", program: "kwok", position: 1, total: 2, elapsedSeconds: 0 },
  { kind: "building", program: "kwok", position: 1, total: 2, elapsedSeconds: 61.4 },
  { kind: "built", program: "kwok", position: 1, total: 2, elapsedSeconds: 62 },
  { kind: "building", program: "supervisor", position: 2, total: 2, elapsedSeconds: 0 },
];

function shown(isTTY: boolean): string {
  let text = "";
  const show = showBuildProgress({ isTTY, write: (part) => (text += part) });
  events.forEach((event) => show(event));
  return text;
}

test("without a terminal each step is one line", () => {
  expect(shown(false)).toBe(
    [
      "Another process (42) is building the local cluster's programs: waiting for it.",
      "Building kwok (1 of 2, 1 more to come)",
      "Built kwok in 1 min 2 s",
      "Building supervisor (2 of 2)",
      "",
    ].join("\n"),
  );
});

test("on a terminal the line renews itself with the time elapsed, and gives way to what is built", () => {
  expect(shown(true)).toContain(
    "\r\u001b[KBuilding kwok (1 of 2, 1 more to come) 1 min 1 s\r\u001b[KBuilt kwok in 1 min 2 s\n",
  );
});

test.each([
  [0.4, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 0 s"],
  [221, "3 min 41 s"],
])("%d seconds read %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
