import { expect, test } from "vitest";
import { asScheduled, emptiedAt, nodesOfBlock } from "./block-times.ts";

const block = {
  kind: "capacityBlock",
  reservation: "cr-0123456789abcdef0",
  start: "2026-12-01T11:30:00Z",
  end: "2026-12-02T11:30:00Z",
} as const;

test("a block's pool has nodes from the block's start until 30 minutes before its end", () => {
  const at = (time: string) => nodesOfBlock(block, 4, new Date(time));
  expect(at("2026-12-01T11:29:59Z")).toBe(0);
  expect(at("2026-12-01T11:30:00Z")).toBe(4);
  expect(at("2026-12-02T10:59:59Z")).toBe(4);
  expect(at("2026-12-02T11:00:00Z")).toBe(0);
});

test("the time at which it is emptied is written as EC2 Auto Scaling reads it", () => {
  expect(asScheduled(emptiedAt(block))).toBe("2026-12-02T11:00:00Z");
});
