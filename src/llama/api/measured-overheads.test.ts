import { describe, expect, test } from "vitest";
import { parseMeasuredOverheads } from "./measured-overheads.ts";

const entry = {
  engine: "vllm",
  version: "0.32.0",
  gpu: "nvidia-h100-80gb",
  tensor: 8,
  model: "llama-3.1-405b-instruct",
  weights: "fp8",
  maxNumSeqs: 1024,
  maxNumBatchedTokens: 8192,
  overheadBytes: 3_221_225_472,
};

describe("a file of measured overheads", () => {
  test("is a list; one stage is the default", () => {
    expect(parseMeasuredOverheads([entry, { ...entry, pipeline: 2 }])).toEqual({
      ok: true,
      overheads: [
        { ...entry, pipeline: 1 },
        { ...entry, pipeline: 2 },
      ],
    });
  });

  test("may be empty, as a chart without any writes it", () => {
    expect(parseMeasuredOverheads([])).toEqual({ ok: true, overheads: [] });
    expect(parseMeasuredOverheads(null)).toEqual({ ok: true, overheads: [] });
  });

  test.each([
    ["what is no list", { overheads: [entry] }, "", 'must be of type array: "object"'],
    ["a misspelt field", [{ ...entry, tensors: 8 }], "[0].tensors", 'unknown field "[0].tensors"'],
    ["a version that is none", [{ ...entry, version: "0.32" }], "[0].version", "should match"],
    [
      "an overhead below zero",
      [entry, { ...entry, overheadBytes: -1 }],
      "[1].overheadBytes",
      "should be greater than or equal to 0",
    ],
    ["a part of a byte", [{ ...entry, overheadBytes: 0.5 }], "[0].overheadBytes", "must be of type integer"],
    ["an engine that is not known", [{ ...entry, engine: "tgi" }], "[0].engine", 'supported values: "vllm"'],
  ])("is refused for %s, with the place", (_case, value, path, message) => {
    expect(parseMeasuredOverheads(value)).toEqual({
      ok: false,
      problems: [{ path, message: expect.stringContaining(message) as string }],
    });
  });
});
