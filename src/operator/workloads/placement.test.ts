import { expect, test } from "vitest";
import { cases } from "@llama-operator/llama/testing";
import { workloads } from "./desired.ts";
import { placedAt, placementOf, type Placement } from "./placement.ts";
import { renderRevision, type RevisionData } from "./revision.ts";

const { owner } = cases.eightB;
const single = renderRevision(cases.eightB);
const group = renderRevision(cases.groupOfTwo);

function elsewhere({ plan }: RevisionData): Placement {
  return {
    pool: "other",
    nodeSelector: { other: "pool" },
    tolerations: [{ key: "other", operator: "Exists" }],
    pod: { ...plan.pod, gpuResourceName: "example.com/gpu" },
  };
}

test("at home a revision is as it was stored, whatever the pool is called now", () => {
  const placed = placedAt(single, { ...placementOf(single.plan), pool: "renamed" });
  expect(placed).toEqual({ ...single, plan: { ...single.plan, pool: "renamed" } });
});

test.each([
  ["a Deployment", single],
  ["a LeaderWorkerSet", group],
])(
  "elsewhere %s differs in its name, its labels and what the pool decides of pods, and in nothing else",
  (_, data) => {
    const placed = placedAt(data, elsewhere(data));
    const { placement = "" } = placed;
    expect(placement).toMatch(/^[0-9a-f]{8}$/);
    const text = (revision: RevisionData): string =>
      JSON.stringify(workloads(owner, data === group ? { revision, slots: [0] } : { revision, replicas: 1 }));
    const [home, moved] = [text(data), text(placed)];
    expect(moved).not.toBe(home);
    const { nodeSelector, tolerations, pod } = data.plan;
    const selector = (labels: object): string =>
      Object.keys(labels).length === 0 ? "" : `"nodeSelector":${JSON.stringify(labels)},`;
    const tolerated = (list: readonly object[]): string => `"tolerations":${JSON.stringify(list)}`;
    expect(moved).toContain(selector({ other: "pool" }));
    expect(moved).toContain(tolerated([{ key: "other", operator: "Exists" }]));
    expect(moved).toContain('"example.com/gpu":');
    expect(moved).not.toContain(pod.gpuResourceName);
    expect(moved).not.toContain(tolerated(tolerations));
    expect(Object.keys(nodeSelector).filter((key) => moved.includes(key))).toEqual([]);
    const [before, after] = [data, placed].map(({ templates }) => templates.serving.spec?.containers[0]);
    expect({ ...after, resources: undefined }).toEqual({ ...before, resources: undefined });
  },
);

test("the same placement has the same name each time, and another one another", () => {
  const keys = [
    elsewhere(single),
    { ...elsewhere(single), pool: "renamed" },
    { ...elsewhere(single), tolerations: [] },
  ].map((placement) => placedAt(single, placement).placement);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});
