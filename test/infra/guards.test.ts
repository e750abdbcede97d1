// The guard of GPU pools in the real engine: what it remembers, what it refuses, and what an `up` that failed leaves it.
// No cluster and no provider: the guard comes before any resource.

import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, onTestFailed, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { RunResult } from "../../infra/testing/pulumi.ts";
import { testEngine } from "../support/pulumi.ts";

const projectDir = fileURLToPath(new URL("../../infra/testing/guarded-project", import.meta.url));

const engine = await testEngine((cleanUp) => afterAll(cleanUp));

type Pools = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Wish {
  readonly pools: Pools;
  readonly allowReplace?: readonly string[];
  readonly failsBefore?: boolean;
  readonly failsLater?: boolean;
}

async function run(kind: "preview" | "up", stack: string, wish: Wish): Promise<RunResult> {
  const config = {
    "guarded:pools": wish.pools,
    "guarded:allowReplace": wish.allowReplace,
    "guarded:failsBefore": wish.failsBefore,
    "guarded:failsLater": wish.failsLater,
  };
  const result = await engine[kind](projectDir, stack, { config });
  onTestFailed(() => console.error(result.output));
  return result;
}

/** What the guard remembers, by pool. */
async function records(stack: string): Promise<object> {
  const { deployment } = await engine.stackExport(projectDir, stack);
  const kept = (deployment.resources ?? []).filter(({ type }) => type === "llama-operator:guards:PoolRecord");
  return Object.fromEntries(
    kept.map(({ urn, outputs }) => [urn.slice(urn.lastIndexOf("::") + 2), outputs?.["record"]]),
  );
}

const taint = { key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" };
const first: Pools = { h100: { machineType: "a3-highgpu-8g", taints: [taint], nodeCount: 2 } };
const remembered = {
  h100: { machineType: "a3-highgpu-8g", taints: [taint], diskSizeGb: null, nodes: 2 },
};
const otherMachine: Pools = { h100: { machineType: "a3-megagpu-8g", taints: [taint] } };

describe.sequential("the guard of GPU pools", () => {
  const stack = "whole";

  test("has nothing against a first preview and a first up", async () => {
    expect((await run("preview", stack, { pools: first })).exitCode).toBe(0);
    expect((await run("up", stack, { pools: first })).exitCode).toBe(0);
    expect(await records(stack)).toEqual(remembered);
  });

  test("lets pass what replaces nothing: another size, another pool, nothing at all", async () => {
    const again = await run("up", stack, { pools: first });
    expect(again.exitCode).toBe(0);
    expect(resourceChanges(again.events)).toEqual({ same: 3 });
    const grown = { h100: { ...first["h100"], nodeCount: 3 }, second: { machineType: "a3-highgpu-1g" } };
    expect((await run("up", stack, { pools: grown })).exitCode).toBe(0);
    const back = await run("up", stack, { pools: first });
    expect(back.exitCode).toBe(0);
    expect(back.output).toContain("a GPU pool shrinks: h100 from up to 3 nodes to 2");
    expect(back.output).toContain("a GPU pool goes, as it is configured no more: second with up to 1 node");
  });

  test("says, in a plain preview, how many nodes will be made anew, and at which pace", async () => {
    const rolled = { h100: { ...first["h100"], diskSizeGb: 200 } };
    const preview = await run("preview", stack, { pools: rolled });
    expect(preview.exitCode).toBe(0);
    expect(preview.output).toContain("made anew, one at a time: up to 2 nodes of h100");
    expect(preview.output).toContain("h100: diskSizeGb not set -> 200: a node keeps its disk (a page)");
  });

  test.each(["preview", "up"] as const)(
    "refuses, in a plain %s, a change that replaces a pool",
    async (kind) => {
      const refused = await run(kind, stack, { pools: { h100: { machineType: "a3-highgpu-8g" } } });
      expect(refused.exitCode).not.toBe(0);
      const said = errors(refused.events).join("\n");
      expect(said).toContain("this change would replace 1 GPU pool; nothing was done");
      expect(said).toContain(
        `h100: taints [{"effect":"NO_SCHEDULE","key":"nvidia.com/gpu","value":"present"}] -> not set`,
      );
      expect(said).toContain("taints of a pool are fixed (pulumi/pulumi-gcp issue 1139)");
      expect(said).toContain("allowReplace: [h100]");
      expect(steps(refused.events).filter((step) => step.includes("guarded:index:Pool"))).toEqual([]);
    },
  );

  test("still knows the pools after it has refused, and after a refresh", async () => {
    expect((await engine.refresh(projectDir, stack)).exitCode).toBe(0);
    expect(await records(stack)).toEqual(remembered);
    expect((await run("preview", stack, { pools: otherMachine })).exitCode).not.toBe(0);
  });

  test("counts a pool as what it is where an up fails before it, and where it fails after", async () => {
    const wish = { pools: otherMachine, allowReplace: ["h100"] };
    const before = await run("up", stack, { ...wish, failsBefore: true });
    expect(before.exitCode).not.toBe(0);
    expect(await records(stack)).toEqual(remembered);
    // Nobody allows it any more.
    expect((await run("preview", stack, { pools: otherMachine })).exitCode).not.toBe(0);
    const later = await run("up", stack, { ...wish, failsLater: true });
    expect(later.exitCode).not.toBe(0);
    expect(later.output).toContain("Take h100 out of allowReplace afterwards");
    expect((await run("preview", stack, { pools: otherMachine })).exitCode).toBe(0);
    expect((await run("preview", stack, { pools: first })).exitCode).not.toBe(0);
    expect((await run("up", stack, { pools: otherMachine })).exitCode).toBe(0);
  });

  test("does not stand in the way of destroy, and has forgotten everything afterwards", async () => {
    expect((await engine.destroy(projectDir, stack)).exitCode).toBe(0);
    expect((await run("preview", stack, { pools: first })).exitCode).toBe(0);
  });
});

test("a pool that was never made forbids nothing, and one that was is guarded though its up failed", async () => {
  const stack = "failing";
  expect((await run("up", stack, { pools: first, failsBefore: true })).exitCode).not.toBe(0);
  expect((await run("preview", stack, { pools: otherMachine })).exitCode).toBe(0);
  expect((await run("up", stack, { pools: first, failsLater: true })).exitCode).not.toBe(0);
  expect((await run("preview", stack, { pools: otherMachine })).exitCode).not.toBe(0);
});
