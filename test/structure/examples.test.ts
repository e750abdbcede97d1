// The examples are the first manifests that people copy: each must be one that the API server takes.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseGpuPool, parseLlamaDeployment } from "../../src/llama/api/resources.ts";
import { repositoryRoot } from "./source-files.ts";

const folder = join(repositoryRoot, "examples");
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test.each(files)("%s is one valid object and opens with what it shows", (file) => {
  const text = readFileSync(join(folder, file), "utf8");
  expect(text).toMatch(/^# /);
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  expect(documents).toHaveLength(1);
  const [manifest] = documents as { kind: string; metadata: { name: string } }[];
  const parsed = manifest?.kind === "GpuPool" ? parseGpuPool(manifest) : parseLlamaDeployment(manifest);
  expect(parsed.ok ? [] : parsed.problems).toEqual([]);
});

test("a LlamaDeployment's example is named as the object in it", () => {
  const named = files.filter((file) => file.startsWith("llama-"));
  expect(named.length).toBeGreaterThan(3);
  for (const file of named) {
    expect(readFileSync(join(folder, file), "utf8")).toContain(`\n  name: ${file.replace(".yaml", "")}\n`);
  }
});
