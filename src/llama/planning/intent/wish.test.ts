import { expect, test } from "vitest";
import { exampleSpec } from "../../testing/example-pools.ts";
import { engineSettings, plannedFlags } from "./settings.ts";
import { sameWish, wishOf } from "./wish.ts";

type Fields = Readonly<Record<string, unknown>>;

const model = { name: "llama-3.1-8b-instruct" };
const wish = wishOf(exampleSpec({ model }));

test.each([
  ["the number of replicas", { replicas: 3 }],
  ["what pods carry", { podTemplate: { labels: { team: "a" } } }],
  [
    "the Secret of the token",
    { model: { ...model, source: { huggingFace: { tokenSecretRef: { name: "a", key: "b" } } } } },
  ],
  ["the environment", { engine: { env: [{ name: "A", value: "b" }] } }],
  ["a flag that planning does not read", { engine: { args: { seed: "1" } } }],
  ["a default that is written out", { context: { minConcurrency: 1 } }],
] as const)("does not depend on %s", (_, changed) => {
  expect(sameWish(wishOf(exampleSpec({ model, ...changed })), wish)).toBe(true);
});

test.each([
  ["the model", { model: { name: "llama-3.1-70b-instruct" } }],
  [
    "a pinned revision",
    { model: { ...model, source: { huggingFace: { repository: "a/b-c", revision: "a".repeat(40) } } } },
  ],
  ["the format of the KV cache", { quantization: { kvCache: "fp8" } }],
  ["the longest request", { context: { maxTokens: 4096 } }],
  ["a degree", { parallelism: { tensor: 1 } }],
  ["the pools that may be used", { placement: { poolSelector: { matchLabels: { tier: "gold" } } } }],
  ["the version of the engine", { engine: { version: "0.33.0" } }],
  ["a flag that memory follows from", { engine: { args: { "max-num-seqs": "4" } } }],
] as const)("depends on %s", (_, changed) => {
  expect(sameWish(wishOf(exampleSpec({ model, ...changed })), wish)).toBe(false);
});

test("a field that this release does not know, or a default that another one did not have, is no difference", () => {
  const context = { maxTokens: 4096, minConcurrency: 1, kvCacheSize: "profiled" };
  const later = { ...wish, context: { ...context, ofTomorrow: false }, ofTomorrow: {} };
  const { kvCacheSize: _, ...older } = context;
  expect(sameWish(later, { ...wish, context: older })).toBe(true);
});

test("every flag that planning reads is one that a plan follows from", () => {
  const read = new Set<string>();
  const args = new Proxy<Fields>(
    { "enable-lora": "" },
    {
      get(target, flag) {
        read.add(String(flag));
        return Reflect.get(target, flag) as unknown;
      },
    },
  );
  const spec = exampleSpec({ model });
  engineSettings({ ...spec, engine: { ...spec.engine, args: args as Record<string, string> } });
  expect(read.size).toBeGreaterThan(5);
  expect([...read].filter((flag) => !plannedFlags.has(flag))).toEqual([]);
});
