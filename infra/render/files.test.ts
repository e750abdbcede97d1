import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseGpuPool, parseLlamaDeployment } from "@llama-operator/llama/api";
import { parseConfiguration } from "../config/configuration.ts";
import { readStackFile, stackFilePath } from "../config/stack-file.ts";
import { renderStack } from "./files.ts";
import { writeFiles } from "./write.ts";

test.each(["local", "existing"])("the stack %s renders to its golden files", async (stack) => {
  for (const { path, text } of renderStack(await readStackFile(stackFilePath(stack)))) {
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "golden", stack, path));
  }
});

const repository = { url: "https://git.example.com/llama-operator.git", revision: "main" };

test.each(["local", "existing"])("the stack %s renders to its golden files for Argo CD", async (stack) => {
  const configuration = await readStackFile(stackFilePath(stack));
  const files = renderStack(configuration, { kind: "argo", repository });
  for (const { path, text } of files.filter((each) => each.path.startsWith("add-ons/"))) {
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "golden-argo", stack, path));
  }
});

test("pools and models are the same files for every controller", async () => {
  const configuration = await readStackFile(stackFilePath("existing"));
  const models = (files: ReturnType<typeof renderStack>) =>
    files.filter(({ path }) => path.startsWith("models/"));
  expect(models(renderStack(configuration, { kind: "argo", repository }))).toEqual(
    models(renderStack(configuration)),
  );
});

test("the same configuration renders to the same bytes", async () => {
  const configuration = await readStackFile(stackFilePath("existing"));
  expect(renderStack(configuration)).toEqual(renderStack(structuredClone(configuration)));
});

test("what is rendered is what the API server takes", async () => {
  const files = renderStack(await readStackFile(stackFilePath("local")));
  const objects = files.flatMap(({ text }) => parseAllDocuments(text).map((each): unknown => each.toJS()));
  const parsed = objects.flatMap((object): readonly boolean[] => {
    const { kind } = object as { kind: string };
    if (kind === "GpuPool") return [parseGpuPool(object).ok];
    return kind === "LlamaDeployment" ? [parseLlamaDeployment(object).ok] : [];
  });
  expect(parsed).toEqual([true, true, true]);
});

test("a token is referred to, as the model's spec does, and never there", () => {
  const huggingFace = { tokenSecretRef: { name: "hf-token", key: "token" } };
  const parsed = parseConfiguration({
    cluster: { kind: "local" },
    pools: [{ name: "h100", gpu: { product: "nvidia-h100-80gb", perNode: 8 }, nodes: { min: 1, max: 1 } }],
    models: [
      { name: "llama-8b", spec: { model: { name: "llama-3.1-8b-instruct", source: { huggingFace } } } },
    ],
  });
  if (!parsed.ok) throw new Error("not read");
  const files = renderStack(parsed.configuration);
  expect(files.at(-1)?.text).toContain("tokenSecretRef:\n          name: hf-token\n          key: token\n");
  expect(files.some(({ text }) => text.includes("kind: Secret"))).toBe(false);
});

test("a file of an object that is gone is named and left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "render-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const files = renderStack(await readStackFile(stackFilePath("local")));
  expect(await writeFiles(folder, files)).toEqual([]);
  await writeFile(join(folder, "models", "model-gone.yaml"), "");
  expect(await writeFiles(folder, files)).toEqual(["models/model-gone.yaml"]);
  expect(await readFile(join(folder, "models", "gpu-pool-h100.yaml"), "utf8")).toContain("kind: GpuPool");
});
