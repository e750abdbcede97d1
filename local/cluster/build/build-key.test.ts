import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildKey } from "./build-key.ts";
import type { ProgramRecipe } from "./programs.ts";

const go = { command: "go", version: "go1.26.8", platform: "linux/amd64" };
let recipe: ProgramRecipe;

beforeEach(async () => {
  const moduleDir = await mkdtemp(join(tmpdir(), "build-key-"));
  await writeFile(join(moduleDir, "go.mod"), "module example\n");
  await writeFile(join(moduleDir, "main.go"), "package main\n");
  recipe = { name: "kwok", moduleDir, package: ".", stamps: {} };
});

afterEach(async () => {
  await rm(recipe.moduleDir, { recursive: true });
});

test("the same files, recipe and Go give the same key", async () => {
  expect(await buildKey(recipe, go)).toBe(await buildKey(recipe, go));
});

test("the key does not depend on where the module lies", async () => {
  const before = await buildKey(recipe, go);
  const elsewhere = await mkdtemp(join(tmpdir(), "build-key-"));
  await writeFile(join(elsewhere, "go.mod"), "module example\n");
  await writeFile(join(elsewhere, "main.go"), "package main\n");
  expect(await buildKey({ ...recipe, moduleDir: elsewhere }, go)).toBe(before);
  await rm(elsewhere, { recursive: true });
});

test.each(["go.mod", "go.sum", "main.go", "more.go"])("a change of %s changes the key", async (file) => {
  const before = await buildKey(recipe, go);
  await writeFile(join(recipe.moduleDir, file), "// changed\n");
  expect(await buildKey(recipe, go)).not.toBe(before);
});

test("tests and other files do not change the key", async () => {
  const before = await buildKey(recipe, go);
  await writeFile(join(recipe.moduleDir, "main_test.go"), "package main\n");
  await writeFile(join(recipe.moduleDir, "notes.txt"), "notes\n");
  expect(await buildKey(recipe, go)).toBe(before);
});

test("another Go, platform or stamp changes the key", async () => {
  const keys = await Promise.all([
    buildKey(recipe, go),
    buildKey(recipe, { ...go, version: "go1.27.0" }),
    buildKey(recipe, { ...go, platform: "linux/arm64" }),
    buildKey({ ...recipe, stamps: { "main.version": "v1" } }, go),
  ]);
  expect(new Set(keys).size).toBe(keys.length);
});
