import { expect, test } from "vitest";
import { addressRange } from "./address-range.ts";
import { roomProblems } from "./node-room.ts";

test("a range that holds all nodes is right, and one that does not is told with one that does", () => {
  const pods = { path: "cluster.network.pods", perNode: 256, reserved: 0 };
  expect(roomProblems({ ...pods, range: "10.4.0.0/21" }, 8)).toEqual([]);
  expect(roomProblems({ ...pods, range: "10.4.0.0/24" }, 5)).toEqual([
    {
      path: "cluster.network.pods",
      message:
        "10.4.0.0/24 has room for 1 node, and the stack may have 5: write a /21 or larger, or smaller nodes.max",
    },
  ]);
});

test("a range is written by its own address", () => {
  expect(addressRange.safeParse("10.0.0.0/20").success).toBe(true);
  expect(addressRange.safeParse("10.0.0.5/20").error?.issues[0]?.message).toBe(
    "10.0.0.5/20 begins within a range: write 10.0.0.0/20, or another prefix",
  );
  expect(addressRange.safeParse("10.0.0.999/20").error?.issues[0]?.message).toBe(
    "must be a range such as 10.240.0.0/16",
  );
});
