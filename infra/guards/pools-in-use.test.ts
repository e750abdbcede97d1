import { expect, test } from "vitest";
import { inUseRefusal, servedModels, takesNodes } from "./pools-in-use.ts";

const former = { h100: { nodes: 3 }, idle: { nodes: 1 } };
const pool = (name: string, nodes: number) => ({
  name,
  nodes,
  gpusPerNode: 8,
  record: { nodes },
  fields: [],
});
const served = [
  { name: "llama/large", pool: "h100", gpus: 8 },
  { name: "llama/small", pool: "h100", gpus: 4 },
];

test("a pool does not go under its models, and an idle one does", () => {
  const wanted = [pool("idle", 1)];
  expect(takesNodes(former, wanted)).toBe(true);
  expect(inUseRefusal(former, wanted, served)).toContain(
    "pool h100 would go, and llama/large, llama/small run on it\nBring the serving stack up first",
  );
  expect(inUseRefusal(former, [pool("h100", 3)], served)).toBeUndefined();
});

test("a pool shrinks as far as its models leave room", () => {
  const shrunk = (nodes: number) => [pool("h100", nodes), pool("idle", 1)];
  expect(inUseRefusal(former, shrunk(2), served)).toBeUndefined();
  expect(inUseRefusal(former, shrunk(1), served)).toContain(
    "pool h100 would have 8 GPUs, and llama/large, llama/small run on 12 of it",
  );
});

test("a pool with another name takes the old one's nodes away", () => {
  expect(inUseRefusal(former, [pool("h100b", 3), pool("idle", 1)], served)).toContain("pool h100 would go");
});

test("what grows, stays or is new asks nobody", () => {
  expect(takesNodes(former, [pool("h100", 4), pool("idle", 1), pool("new", 1)])).toBe(false);
  expect(takesNodes({ old: { amiType: "x" } }, [pool("old", 1)])).toBe(false);
});

test("models are what a serving stack says of them", () => {
  const models = { "llama/large": { pool: "h100", gpus: 8, plan: "…" }, odd: {} };
  expect(servedModels({ models, gpus: {} })).toEqual([{ name: "llama/large", pool: "h100", gpus: 8 }]);
  expect(servedModels({})).toEqual([]);
});
