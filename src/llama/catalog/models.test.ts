import { describe, expect, test } from "vitest";
import { checkpointsOf, formatsOfAuto } from "./checkpoints.ts";
import { classifierRefusal, findClassifier } from "./classifiers.ts";
import { findModel, models, nearestModels } from "./models.ts";
import { parameterCount } from "./weight-bytes.ts";

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
  test.each(models)(
    "$name has a pinned BF16 repository, gated, and a licence of its own generation",
    (model) => {
      const pinned = checkpointsOf(model.name).filter(({ revision }) => revision !== undefined);
      expect(pinned.some(({ format, gated }) => format === "bf16" && gated)).toBe(true);
      expect(pinned.filter(({ revision }) => !/^[0-9a-f]{40}$/.test(revision ?? ""))).toEqual([]);
      expect(model.licence).toMatch(/^Llama 3\.[123] Community License$/);
    },
  );

  test.each(models)("$name has each repository once", ({ name }) => {
    const repositories = checkpointsOf(name).map(({ repository }) => repository.toLowerCase());
    expect(new Set(repositories).size).toBe(repositories.length);
  });

  test("INT8 and INT4 are for who asks for them", () => {
    expect(formatsOfAuto).toEqual(["bf16", "fp8"]);
    const formats = checkpointsOf("llama-3.1-70b-instruct").map(({ format }) => format);
    expect(formats).toEqual(expect.arrayContaining(["int8", "int4"]));
  });
});

describe("classifiers", () => {
  test.each(["prompt-guard-86m", "llama-prompt-guard-2-86m", "meta-llama/Llama-Prompt-Guard-2-22M"])(
    "%s is known, is no model, and says why",
    (name) => {
      const classifier = findClassifier(name);
      expect(findModel(name)).toBeUndefined();
      expect(classifier && classifierRefusal(classifier)).toContain("no chat engine serves it");
    },
  );

  test("a model is none", () => {
    expect(findClassifier("llama-guard-3-1b")).toBeUndefined();
  });
});
