import { describe, expect, test } from "vitest";
import { findDrift } from "./drift.ts";
import { intentHash, needsApply, withIntentHash } from "./intent.ts";
import type { KubeObject, Live } from "../client/object.ts";
import { sameQuantity } from "./quantity.ts";

type Spec = KubeObject & { readonly spec: unknown };

const annotation = "example.dev/intent";
const object = (spec: unknown): Spec => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "one" },
  spec,
});
const stored = (intent: Spec, spec: unknown): Live<Spec> => ({
  ...intent,
  metadata: { ...intent.metadata, name: "one", uid: "u", resourceVersion: "1" },
  spec,
});

describe("an intent's hash", () => {
  test("is the same for every order of keys, and other for other content", () => {
    expect(intentHash(object({ a: 1, b: { c: 2, d: undefined } }))).toBe(
      intentHash(object({ b: { c: 2 }, a: 1 })),
    );
    expect(intentHash(object({ a: 1 }))).not.toBe(intentHash(object({ a: "1" })));
    expect(intentHash(object(["a", "b"]))).not.toBe(intentHash(object(["b", "a"])));
  });

  test("stays as it is stored on children: another one would apply all of them again", () => {
    expect(intentHash(object({ b: {}, a: [{ d: null, c: 1 }] }))).toBe("5488f765cae7172e");
  });

  test("goes onto the object and nowhere else", () => {
    const intent = withIntentHash(object({ template: { metadata: {} } }), annotation);
    expect(intent.metadata?.annotations?.[annotation]).toMatch(/^[0-9a-f]{16}$/);
    expect(intent.spec).toEqual({ template: { metadata: {} } });
  });
});

describe("a child needs to be applied", () => {
  const intent = withIntentHash(object({ a: 1 }), annotation);

  test("when it is absent", () => {
    expect(needsApply(intent, undefined, annotation)).toEqual({ kind: "absent" });
  });

  test("when it carries another intent's hash, even though every leaf is there", () => {
    const more = withIntentHash(object({ a: 1, b: 2 }), annotation);
    expect(needsApply(intent, stored(more, { a: 1, b: 2 }), annotation)).toEqual({ kind: "intent" });
  });

  test("when a leaf differs", () => {
    expect(needsApply(intent, stored(intent, { a: 2 }), annotation)).toEqual({
      kind: "drift",
      path: "spec.a",
    });
  });

  test("and not when only the server has added to it", () => {
    expect(needsApply(intent, stored(intent, { a: 1, defaulted: true }), annotation)).toBeUndefined();
  });
});

describe("drift", () => {
  test.each([
    ["a default that the server filled in", { a: 1 }, { a: 1, b: 2 }],
    ["what is empty and was dropped", { a: {}, b: [], c: "", d: false, e: 0, f: null, g: 1 }, { g: 1 }],
    [
      "a quantity written otherwise",
      { limits: { cpu: "1000m", memory: "1024Mi" } },
      { limits: { cpu: "1", memory: "1Gi" } },
    ],
    [
      "a quantity given as a number",
      { requests: { cpu: 1.5, gpu: 8 } },
      { requests: { cpu: "1500m", gpu: "8" } },
    ],
    [
      "a size limit written otherwise",
      { emptyDir: { sizeLimit: "1024Mi" } },
      { emptyDir: { sizeLimit: "1Gi" } },
    ],
    [
      "another order of a keyed list",
      {
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
      {
        env: [
          { name: "B", value: "2" },
          { name: "A", value: "1" },
        ],
      },
    ],
    [
      "another writer's item in a keyed list",
      { containers: [{ name: "engine", image: "x" }] },
      { containers: [{ name: "injected" }, { name: "engine", image: "x", imagePullPolicy: "Always" }] },
    ],
    [
      "a port's default protocol",
      { ports: [{ containerPort: 80 }] },
      { ports: [{ containerPort: 80, protocol: "TCP" }] },
    ],
    ["another writer's finalizer", { finalizers: ["a"] }, { finalizers: ["b", "a"] }],
  ])("is not %s", (_, applied, live) => {
    expect(findDrift(applied, live)).toBeUndefined();
  });

  test.each([
    ["a leaf", { spec: { a: 1 } }, { spec: { a: 2 } }, "spec.a"],
    ["a leaf that is gone", { spec: { a: 1 } }, { spec: {} }, "spec.a"],
    ["an argument", { args: ["--a", "--b"] }, { args: ["--a", "--c"] }, "args[1]"],
    ["an argument more", { args: ["--a"] }, { args: ["--a", "--b"] }, "args"],
    [
      "the image of a container",
      { containers: [{ name: "engine", image: "x" }] },
      { containers: [{ name: "engine", image: "y" }] },
      'containers["engine"].image',
    ],
    [
      "a container that is gone",
      { containers: [{ name: "engine" }] },
      { containers: [] },
      'containers["engine"]',
    ],
    ["a port's protocol", { ports: [{ port: 80 }] }, { ports: [{ port: 80, protocol: "UDP" }] }, "ports[80]"],
    [
      "a selector that another client narrowed",
      { nodeSelector: { a: "1" } },
      { nodeSelector: { a: "1", b: "2" } },
      "nodeSelector",
    ],
    ["a quantity", { limits: { cpu: "1000m" } }, { limits: { cpu: "1001m" } }, "limits.cpu"],
    [
      "a text that looks like a quantity",
      { annotations: { a: "1000m" } },
      { annotations: { a: "1" } },
      "annotations.a",
    ],
    ["replicas set from zero", { replicas: 0 }, { replicas: 1 }, "replicas"],
    ["an item more in an unkeyed list", { rules: [{ a: 1 }] }, { rules: [{ a: 1 }, { a: 2 }] }, "rules"],
  ])("is %s", (_, applied, live, path) => {
    expect(findDrift(applied, live)).toBe(path);
  });
});

test.each([
  ["1", "1000m", true],
  ["1Gi", "1024Mi", true],
  ["1Gi", "1G", false],
  ["1.5", "1500m", true],
  ["0.1", "100m", true],
  ["1e3", "1k", true],
  ["1E", "1000P", true],
  ["12E", "12000P", true],
  ["100Ei", "102400Pi", true],
  ["-1", "-1000m", true],
  [8, "8", true],
  [".5", "500m", true],
  ["0.1n", "1n", true],
  ["1", "one", false],
  ["", "", false],
  [undefined, undefined, false],
])("quantities %s and %s are the same: %s", (left, right, same) => {
  expect(sameQuantity(left, right)).toBe(same);
});
