import { expect, test } from "vitest";
import { poolsRemembered } from "./pool-memory.ts";

const urn = (type: string, name: string) => `urn:pulumi:s::llama-platform::${type}::${name}`;
const pool = urn("llama-operator:eks:GpuNodePool$aws:eks/nodeGroup:NodeGroup", "h100");
const memory = urn("llama-operator:guards:PoolRecord", "h100");
const record = { amiType: "AL2023_x86_64_NVIDIA" };
const remembered = { type: "llama-operator:guards:PoolRecord", outputs: { pool, record } };
const made = { type: "aws:eks/nodeGroup:NodeGroup", outputs: {} };

test("a record is of a pool that is there", () => {
  expect(
    poolsRemembered(
      new Map([
        [memory, remembered],
        [pool, made],
      ]),
    ),
  ).toEqual({ h100: record });
  expect(poolsRemembered(new Map([[memory, remembered]]))).toEqual({});
  expect(
    poolsRemembered(
      new Map([
        [memory, { ...remembered, outputs: {} }],
        [pool, made],
      ]),
    ),
  ).toEqual({});
});

test("records that an earlier version kept in the stack's outputs count until the pool has one of its own", () => {
  const stack = {
    type: "pulumi:pulumi:Stack",
    outputs: { poolRecords: { h100: { amiType: "old" }, a100: { amiType: "older" }, odd: 1 } },
  };
  const state = new Map([
    [urn("pulumi:pulumi:Stack", "llama-platform-s"), stack],
    [memory, remembered],
    [pool, made],
  ]);
  expect(poolsRemembered(state)).toEqual({ h100: record, a100: { amiType: "older" } });
});
