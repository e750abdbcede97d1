// The key of a built program: everything that decides what the build makes.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { GoToolchain } from "./go-toolchain.ts";
import type { ProgramRecipe } from "./programs.ts";

/** 16 hex digits over the module's Go files, the recipe, the Go version and the platform. */
export async function buildKey(recipe: ProgramRecipe<string>, go: GoToolchain): Promise<string> {
  const hash = createHash("sha256");
  const { moduleDir: _, ...made } = recipe;
  hash.update(JSON.stringify([made, go.version, go.platform]));
  const names = await readdir(recipe.moduleDir);
  for (const name of names.filter(decidesTheBuild).toSorted()) {
    const content = await readFile(join(recipe.moduleDir, name));
    hash.update(`\n${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

function decidesTheBuild(fileName: string): boolean {
  const isSource = fileName.endsWith(".go") && !fileName.endsWith("_test.go");
  return isSource || fileName === "go.mod" || fileName === "go.sum";
}
