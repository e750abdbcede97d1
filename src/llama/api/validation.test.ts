// Runs the table of manifests against zod; test/integration/crd.test.ts runs it against the API server.
import { describe, expect, test } from "vitest";
import { parseGpuPool, parseLlamaDeployment } from "./resources.ts";
import { type ValidationCase, acceptedCases, refusedCases } from "../testing/validation-cases.ts";

/** Reads a manifest as it arrives: JSON has no undefined. */
function parse(manifest: ValidationCase["manifest"]) {
  const sent: unknown = JSON.parse(JSON.stringify(manifest));
  return manifest.kind === "GpuPool" ? parseGpuPool(sent) : parseLlamaDeployment(sent);
}

describe("a manifest read by zod", () => {
  test.each(acceptedCases)("accepts $name", ({ manifest }) => {
    expect(parse(manifest)).toMatchObject({ ok: true });
  });

  test.each(refusedCases)("refuses $name", ({ manifest, refused: { path, message } }) => {
    expect(parse(manifest)).toMatchObject({
      ok: false,
      problems: [{ path, message: expect.stringContaining(message) }],
    });
  });

  test("fills in every default", () => {
    const result = parseLlamaDeployment({
      apiVersion: "llama-operator.dev/v1alpha1",
      kind: "LlamaDeployment",
      metadata: { name: "llama", namespace: "models" },
      spec: { model: { name: "llama-3.1-8b-instruct" }, quantization: { weights: "fp8" } },
    });
    expect(result).toMatchObject({
      ok: true,
      object: {
        metadata: { name: "llama", namespace: "models" },
        spec: {
          quantization: { weights: "fp8", kvCache: "auto" },
          context: { minConcurrency: 1 },
          engine: { type: "vllm", version: "0.32.0", args: {}, env: [] },
          replicas: 1,
        },
      },
    });
  });

  test("names every problem of a manifest at once, each with its path", () => {
    const result = parseLlamaDeployment({
      apiVersion: "llama-operator.dev/v1",
      kind: "LlamaDeployment",
      metadata: { name: "llama" },
      spec: { model: { name: "x", nmae: "y" }, replicas: -1, engine: { env: [{ name: "1A", value: "" }] } },
    });
    expect(result).toEqual({
      ok: false,
      problems: [
        { path: "apiVersion", message: 'supported values: "llama-operator.dev/v1alpha1"' },
        { path: "spec.model.nmae", message: 'unknown field "spec.model.nmae"' },
        { path: "spec.engine.env[0].name", message: "should match '^[A-Za-z_][A-Za-z0-9_]*$'" },
        { path: "spec.replicas", message: "should be greater than or equal to 0" },
      ],
    });
  });

  test("refuses what is no object at all", () => {
    expect(parseGpuPool("h100")).toEqual({
      ok: false,
      problems: [{ path: "", message: 'must be of type object: "string"' }],
    });
  });
});
