import { expect, test } from "vitest";
import { areApart, apartProblems, isWithin, parseIpv4Block } from "./ipv4.ts";

const block = parseIpv4Block;

test("blocks are apart where no address is in both", () => {
  expect(areApart(block("10.0.0.0/20"), block("10.4.0.0/14"))).toBe(true);
  expect(areApart(block("10.4.0.0/20"), block("10.4.0.0/14"))).toBe(false);
  expect(areApart(block("10.0.0.0/8"), block("10.255.0.0/16"))).toBe(false);
});

test("a block is within another where all of its addresses are", () => {
  expect(isWithin(block("10.240.0.0/20"), block("10.240.0.0/16"))).toBe(true);
  expect(isWithin(block("10.240.0.0/15"), block("10.240.0.0/16"))).toBe(false);
});

test("every pair that overlaps is told once, with both", () => {
  const ranges = { nodes: "10.4.0.0/20", pods: "10.4.0.0/14", services: "10.8.0.0/20" };
  expect(apartProblems("cluster.network", ranges)).toEqual([
    {
      path: "cluster.network.pods",
      message: "10.4.0.0/14 overlaps nodes 10.4.0.0/20: write a range apart from it",
    },
  ]);
});
