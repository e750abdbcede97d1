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
  readonly failsLater?: boolean;
}

async function run(kind: "preview" | "up", stack: string, wish: Wish): Promise<RunResult> {
  const config = {
    "guarded:pools": wish.pools,
    "guarded:allowReplace": wish.allowReplace,
    "guarded:failsLater": wish.failsLater,
  };
  const result = await engine[kind](projectDir, stack, { config });
  onTestFailed(() => console.error(result.output));
  return result;
}

const records = async (stack: string) => (await engine.stackOutputs(projectDir, stack))["poolRecords"];

const taint = { key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" };
const first: Pools = { h100: { machineType: "a3-highgpu-8g", taints: [taint], nodeCount: 2 } };
const otherMachine: Pools = { h100: { machineType: "a3-megagpu-8g", taints: [taint] } };

describe.sequential("the guard of GPU pools", () => {
  const stack = "whole";

  test("has nothing against a first preview and a first up", async () => {
    expect((await run("preview", stack, { pools: first })).exitCode).toBe(0);
    expect((await run("up", stack, { pools: first })).exitCode).toBe(0);
    expect(await records(stack)).toEqual({ h100: { machineType: "a3-highgpu-8g", taints: [taint] } });
  });

  test("lets pass what replaces nothing: another size, another pool, nothing at all", async () => {
    const again = await run("up", stack, { pools: first });
    expect(again.exitCode).toBe(0);
    expect(resourceChanges(again.events)).toEqual({ read: 1, same: 2 });
    const grown = { h100: { ...first["h100"], nodeCount: 3 }, second: { machineType: "a3-highgpu-1g" } };
    expect((await run("up", stack, { pools: grown })).exitCode).toBe(0);
    expect((await run("up", stack, { pools: first })).exitCode).toBe(0);
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
    expect(await records(stack)).toEqual({ h100: { machineType: "a3-highgpu-8g", taints: [taint] } });
    expect((await run("preview", stack, { pools: otherMachine })).exitCode).not.toBe(0);
  });

  test("counts a pool as what it was until an up succeeds", async () => {
    const failed = await run("up", stack, { pools: otherMachine, allowReplace: ["h100"], failsLater: true });
    expect(failed.exitCode).not.toBe(0);
    expect(errors(failed.events).join()).not.toContain("would replace");
    expect((await run("preview", stack, { pools: otherMachine })).exitCode).not.toBe(0);
  });

  test("lets pass, and says, what allowReplace names; from then on the pool is the new one", async () => {
    const allowed = await run("up", stack, { pools: otherMachine, allowReplace: ["h100"] });
    expect(allowed.exitCode).toBe(0);
    expect(allowed.output).toContain("Take h100 out of allowReplace afterwards");
    expect((await run("up", stack, { pools: otherMachine })).exitCode).toBe(0);
    expect((await run("preview", stack, { pools: first })).exitCode).not.toBe(0);
  });

  test("does not stand in the way of destroy, and has forgotten everything afterwards", async () => {
    expect((await engine.destroy(projectDir, stack)).exitCode).toBe(0);
    expect((await run("preview", stack, { pools: first })).exitCode).toBe(0);
  });
});

test("before the first up that succeeds, the guard knows no pool", async () => {
  const stack = "failing";
  expect((await run("up", stack, { pools: first, failsLater: true })).exitCode).not.toBe(0);
  expect((await run("preview", stack, { pools: otherMachine })).exitCode).toBe(0);
});
