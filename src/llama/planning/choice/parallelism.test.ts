import { describe, expect, test } from "vitest";
import { findModel } from "../../catalog/models.ts";
import type { Architecture } from "../../catalog/models.ts";
import { examplePool, h100Pool } from "../../testing/example-pools.ts";
import { hardwareOf, isUsable } from "../node/hardware.ts";
import type { Hardware } from "../node/hardware.ts";
import { layoutsOn, legalTensorDegrees, tensorProblem } from "./parallelism.ts";
import type { PoolFacts } from "../plan.ts";

function architectureOf(name: string): Architecture {
  const model = findModel(name);
  if (model === undefined) throw new Error(`${name} is not in the catalog`);
  return model.architecture;
}

function hardware(pool: PoolFacts): Hardware {
  const found = hardwareOf(pool);
  if (!isUsable(found)) throw new Error(found.problem);
  return found;
}

const largest = architectureOf("llama-3.1-405b");

describe("tensor degrees", () => {
  test.each([
    ["llama-3.2-1b-instruct", [1, 2, 4, 8, 16, 32]],
    ["llama-3.2-3b-instruct", [1, 2, 4, 8]],
    ["llama-3.1-8b", [1, 2, 4, 8, 16, 32]],
    ["llama-3.1-70b", [1, 2, 4, 8, 16, 32, 64]],
    ["llama-3.1-405b", [1, 2, 4, 8, 16, 32, 64]],
  ])("of %s are those that divide heads and feed-forward block", (name, degrees) => {
    expect(legalTensorDegrees(architectureOf(name))).toEqual(degrees);
  });

  test("name what they do not divide", () => {
    expect(tensorProblem(largest, 3)).toBe("128 attention heads");
    expect(tensorProblem(architectureOf("llama-3.2-3b-instruct"), 3)).toBe("8 key-value heads");
    expect(tensorProblem({ ...largest, feedForwardSize: 53_252 }, 8)).toBe("feed-forward size 53252");
    expect(tensorProblem({ ...largest, hiddenSize: 16_380 }, 8)).toBe("hidden size 16380");
  });
});

describe("layouts", () => {
  const degrees = legalTensorDegrees(largest);
  const on = (pool: PoolFacts, requested = {}) =>
    layoutsOn(hardware(pool), largest, degrees, requested).map(
      ({ tensor, pipeline, nodes, gpusPerPod }) => `${tensor}x${pipeline} on ${nodes} of ${gpusPerPod}`,
    );

  test("are each degree inside a node, then the widest over the rest of it and over whole nodes", () => {
    expect(on(h100Pool)).toEqual([
      "1x1 on 1 of 1",
      "2x1 on 1 of 2",
      "4x1 on 1 of 4",
      "8x1 on 1 of 8",
      "8x2 on 2 of 8",
      "8x3 on 3 of 8",
      "8x4 on 4 of 8",
    ]);
  });

  test("keep tensor parallelism inside the NVLink domain, and fill the rest of the node with stages", () => {
    const bridged = examplePool("nvl", { gpu: { product: "nvidia-h100-nvl-94gb", perNode: 4 } });
    expect(on(bridged)).toEqual([
      "1x1 on 1 of 1",
      "2x1 on 1 of 2",
      "2x2 on 1 of 4",
      "2x4 on 2 of 4",
      "2x6 on 3 of 4",
      "2x8 on 4 of 4",
    ]);
  });

  test("keep what is asked for, or there is none", () => {
    expect(on(h100Pool, { tensor: 8, pipeline: 2 })).toEqual(["8x2 on 2 of 8"]);
    expect(on(h100Pool, { tensor: 4, pipeline: 2 })).toEqual(["4x2 on 1 of 8"]);
    expect(on(h100Pool, { tensor: 4, pipeline: 3 })).toEqual([]);
    expect(on(h100Pool, { tensor: 16 })).toEqual([]);
    expect(on(h100Pool, { pipeline: 127 })).toEqual([]);
  });
});
