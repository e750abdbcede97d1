import { expect, test } from "vitest";
import { onlyMore } from "./replacing-field.ts";
import { noticeOf, notices, refusalOf, replacements } from "./replacements.ts";

const taints = { field: "taints", reason: "taints of a pool are fixed", source: "issue 1139" };
const machine = { field: "machineType", reason: "a machine keeps its type", source: "a page" };
const fields = [taints, machine];
const taint = { key: "gpu", effect: "NoSchedule" };
const former = { h100: { taints: [taint], machineType: "a3-highgpu-8g" } };

const wanted = (name: string, record: Readonly<Record<string, unknown>>) => ({ name, record, fields });

test("a pool that stays as it is, is new, or goes, is no replacement", () => {
  const same = { machineType: "a3-highgpu-8g", taints: [{ effect: "NoSchedule", key: "gpu" }] };
  expect(replacements(former, [wanted("h100", same), wanted("new", { taints: [] })])).toEqual([]);
  expect(replacements(former, [])).toEqual([]);
});

test("every field that differs is named, with both values", () => {
  const changed = wanted("h100", { taints: null, machineType: "a3-megagpu-8g" });
  expect(replacements(former, [changed])).toEqual([
    {
      pool: "h100",
      changes: [
        { ...taints, old: [taint], new: null },
        { ...machine, old: "a3-highgpu-8g", new: "a3-megagpu-8g" },
      ],
    },
  ]);
});

test("a list that has grown, shrunk or become an object differs", () => {
  const taken = (value: unknown) =>
    replacements({ a: { taints: [1, 2] } }, [wanted("a", { taints: value })]).length;
  expect([[1, 2, 3], [1], [2, 1], { 0: 1, 1: 2 }, [1, 2]].map(taken)).toEqual([1, 1, 1, 1, 0]);
});

test("of a field that one record lacks, nothing is said", () => {
  expect(
    replacements({ h100: { taints: null } }, [wanted("h100", { taints: null, machineType: "x" })]),
  ).toEqual([]);
  expect(replacements(former, [wanted("h100", { taints: [taint] })])).toEqual([]);
});

test("the refusal says pool, field, both values, reason, source and what to write", () => {
  const found = replacements({ ...former, other: { taints: [] } }, [
    wanted("h100", { taints: null, machineType: "a3-highgpu-8g" }),
    wanted("other", { taints: [taint] }),
  ]);
  expect(refusalOf(found, ["other"])).toBe(
    [
      "this change would replace 1 GPU pool; nothing was done",
      '  h100: taints [{"key":"gpu","effect":"NoSchedule"}] -> not set: taints of a pool are fixed (issue 1139)',
      "A replaced pool gives its nodes back, and gets new ones only where there is capacity. Undo the change, make a second pool with another name, or write allowReplace: [other, h100]",
    ].join("\n"),
  );
});

test("what allowReplace names is not refused, but told", () => {
  const found = replacements(former, [wanted("h100", { taints: [], machineType: "a3-highgpu-8g" })]);
  expect(refusalOf(found, ["h100"])).toBeUndefined();
  expect(found.map(noticeOf).join()).toContain("Take h100 out of allowReplace afterwards");
});

test("a list that may grow differs only where something of it goes", () => {
  const zones = { field: "zones", reason: "nodes of a zone that goes go with it", source: "a page" };
  const taken = (next: readonly string[]) =>
    replacements({ a: { zones: ["a", "b"] } }, [
      { name: "a", record: { zones: next }, fields: [{ ...zones, harmless: onlyMore }] },
    ]).length;
  expect([["b", "a"], ["a", "b", "c"], ["a", "c"], []].map(taken)).toEqual([0, 0, 1, 1]);
});

test("the refusal says how many nodes would be given back, where that is known", () => {
  const before = { h100: { ...former.h100, nodes: 3 } };
  const found = replacements(before, [wanted("h100", { taints: null })]);
  expect(refusalOf(found, [], before)).toContain("gives its nodes back (h100: 3), and gets new ones only");
});

test("nodes that are made anew are counted, with their pace, and so are nodes and pools that go", () => {
  const disk = { field: "disk", reason: "a node keeps its disk", source: "a page" };
  const rollout = { fields: [disk], pace: "one at a time" };
  const pool = (name: string, record: Readonly<Record<string, unknown>>) => ({
    ...wanted(name, record),
    rollout,
  });
  const before = {
    rolled: { disk: 100, nodes: 3 },
    shrunk: { disk: 100, nodes: 4 },
    untouched: { disk: 100, nodes: 1 },
    old: { disk: 100 },
    gone: { nodes: 2 },
  };
  const after = [
    pool("rolled", { disk: 200, nodes: 3 }),
    pool("shrunk", { disk: 100, nodes: 1 }),
    pool("untouched", { disk: 100, nodes: 2 }),
    pool("old", { disk: 200, nodes: 2 }),
    pool("new", { disk: 200, nodes: 2 }),
  ];
  expect(notices(before, after, [])).toEqual([
    "nodes of a GPU pool will be made anew, one at a time: up to 3 nodes of rolled\n  rolled: disk 100 -> 200: a node keeps its disk (a page)",
    "nodes of a GPU pool will be made anew, one at a time: all nodes of old\n  old: disk 100 -> 200: a node keeps its disk (a page)",
    "a GPU pool shrinks: shrunk from up to 4 nodes to 1",
    "a GPU pool goes, as it is configured no more: gone with up to 2 nodes",
  ]);
});

test("of a pool that is replaced nothing else is said", () => {
  const before = { h100: { ...former.h100, nodes: 3 } };
  const after = [wanted("h100", { taints: null, nodes: 1 })];
  expect(notices(before, after, replacements(before, after))).toEqual([]);
});
