import { describe, expect, test } from "vitest";
import { checkpointsOf } from "./checkpoints.ts";
import { findModel, models, nearestModels } from "./models.ts";
import { checkpointBytes, fbgemmLayout, fp8Layout, parameterCount } from "./weight-bytes.ts";

const gibibyte = 2 ** 30;

describe("models", () => {
  test.each([
    ["llama-3.2-1b-instruct", 1_235_814_400],
    ["llama-3.2-3b-instruct", 3_212_749_824],
    ["llama-3.1-8b", 8_030_261_248],
    ["llama-3.3-70b-instruct", 70_553_706_496],
    ["llama-3.1-405b", 405_853_388_800],
  ])("%s has %d parameters, as published", (name, parameters) => {
    const model = findModel(name);
    expect(model && parameterCount(model.architecture)).toBe(parameters);
  });

  test("a mistyped name finds what was meant first", () => {
    expect(nearestModels("lama-3.1-405b-instruct")[0]).toBe("llama-3.1-405b-instruct");
    expect(nearestModels("llama-3.1-8b-instrcut")[0]).toBe("llama-3.1-8b-instruct");
    expect(nearestModels("llama-guard-3-b8")[0]).toBe("llama-guard-3-8b");
  });
});

describe("checkpoints", () => {
  test.each(models)("$name has a pinned BF16 repository", ({ name }) => {
    const pinned = checkpointsOf(name).filter(({ revision }) => revision !== undefined);
    expect(pinned.some(({ format }) => format === "bf16")).toBe(true);
    expect(pinned.filter(({ revision }) => !/^[0-9a-f]{40}$/.test(revision ?? ""))).toEqual([]);
  });

  test("FP8 of 405B is 381.9 GiB with all linear layers, and 453.7 GiB as Meta's own", () => {
    const architecture = findModel("llama-3.1-405b-instruct")?.architecture;
    if (architecture === undefined) throw new Error("not in the catalog");
    expect(checkpointBytes(architecture, fp8Layout).total / gibibyte).toBeCloseTo(381.9, 1);
    expect(checkpointBytes(architecture, fbgemmLayout).total / gibibyte).toBeCloseTo(453.7, 1);
  });
});
