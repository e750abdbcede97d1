import { expect, test } from "vitest";
import { laidOver, overlayOf } from "./overlay.ts";
import { overlayOfStackFile } from "./pulumi-stack-file.ts";
import { readStackFile, stackFilePath } from "./stack-file.ts";

const given = (value: unknown, secret = false) => ({ value, secret });

test("mappings are laid over key by key, lists and the rest replace", () => {
  const file = { operator: { replicas: 1, values: { a: 1, b: { c: 2 } } }, pools: [{ name: "x" }] };
  const over = { operator: { values: { b: { d: 3 } } }, pools: [], namespaces: [{ name: "n" }] };
  expect(laidOver(file, over)).toEqual({
    operator: { replicas: 1, values: { a: 1, b: { c: 2, d: 3 } } },
    pools: [],
    namespaces: [{ name: "n" }],
  });
  expect(laidOver(undefined, over)).toBe(over);
  expect(laidOver([], over)).toEqual([]);
});

test("a value may be structure or JSON, and what is neither is named", () => {
  const { sections, problems } = overlayOf({
    operator: given('{"replicas":2}'),
    allowReplace: given(["h100"]),
    models: given("llama"),
  });
  expect(sections).toEqual({ operator: { replicas: 2 }, allowReplace: ["h100"] });
  expect(problems).toEqual([
    { path: "llama-operator:models", message: "no structure: set it with --path, or as JSON" },
  ]);
});

test("a key that nothing reads is refused", () => {
  expect(overlayOf({ model: given("[]"), configuration: given("../mine.yaml") })).toMatchObject({
    file: "../mine.yaml",
    problems: [
      { path: "llama-operator:model", message: expect.stringContaining("configuration, cluster, pools") },
    ],
  });
});

test("a secret is taken for the chart's values alone", () => {
  const { sections, problems } = overlayOf({
    models: given('[{"spec":{"engine":{"env":[{"name":"TOKEN","value":"hf_secret"}]}}}]', true),
    operator: given('{"values":{"token":"secret"}}', true),
  });
  expect(Object.keys(sections)).toEqual(["operator"]);
  expect(problems).toEqual([
    { path: "llama-operator:models", message: expect.stringContaining("only operator.values may hold one") },
  ]);
  expect(JSON.stringify(problems)).not.toContain("hf_secret");
});

test("what lies over a stack's file is checked with it, and kept a secret where it is of the chart's values", async () => {
  const path = stackFilePath("local");
  const plain = await readStackFile(path, overlayOf({ operator: given({ replicas: 2 }) }));
  expect(plain.operator.replicas).toBe(2);
  expect(plain.pools[0]?.name).toBe("h100");
  expect(plain.secretChartValues).toBeUndefined();
  const secret = await readStackFile(path, overlayOf({ operator: given({ values: { token: "t" } }) }));
  expect(secret.operator.values).toEqual({ ...plain.operator.values, token: "t" });
  expect(secret.secretChartValues).toBe(true);
  await expect(readStackFile(path, overlayOf({ operator: given({ replicas: 0 }) }))).rejects.toThrow(
    /local\.yaml with Pulumi's configuration over it has 1 mistake; nothing was done\n {2}operator\.replicas: /,
  );
});

test("no message shows what came for the chart's values", async () => {
  const wrong = {
    operator: given({ values: { planning: { measuredOverheads: [{ engine: "hunter2" }] } } }, true),
  };
  const refused = readStackFile(stackFilePath("local"), overlayOf(wrong));
  await expect(refused).rejects.toThrow("operator.values.planning.measuredOverheads");
  await expect(refused).rejects.not.toThrow("hunter2");
});

test("Pulumi's configuration may be all of it: then no file is asked for", async () => {
  const cluster = given({ kind: "local" });
  const pools = given([
    { name: "a", gpu: { product: "nvidia-h100-80gb", perNode: 8 }, nodes: { min: 1, max: 1 } },
  ]);
  const read = await readStackFile(stackFilePath("moon"), overlayOf({ cluster, pools }));
  expect(read.pools[0]?.name).toBe("a");
  const named = overlayOf({ cluster, pools, configuration: given("gone.yaml") });
  await expect(readStackFile("/nowhere/gone.yaml", named)).rejects.toThrow("cannot read");
  await expect(readStackFile(stackFilePath("moon"))).rejects.toThrow("cannot read");
});

test("without Pulumi, a stack's own file is read with its secrets left out", () => {
  const overlay = overlayOfStackFile({
    config: {
      "llama-operator:operator": { values: { token: { secure: "v1:abc" }, list: [{ secure: "v1:def" }, 1] } },
      "other:key": "x",
    },
  });
  expect(overlay.problems).toEqual([]);
  expect(overlay.sections).toEqual({ operator: { values: { token: "[secret]", list: ["[secret]", 1] } } });
});
