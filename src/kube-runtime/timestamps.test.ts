import { expect, test } from "vitest";
import { formatMicroTime, formatTime } from "./timestamps.ts";

const time = new Date("2026-11-23T10:00:00.987Z");

test("a Time has whole seconds, cut off and not rounded", () => {
  expect(formatTime(time)).toBe("2026-11-23T10:00:00Z");
});

test("a MicroTime has six digits of the second", () => {
  expect(formatMicroTime(time)).toBe("2026-11-23T10:00:00.987000Z");
});
