// The sources that the structure tests read: every TypeScript file of the folders that we write by hand.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "./import-rule.ts";

const folders = ["src", "local", "infra", "scripts", "test"];

/** The repository's root, without a trailing slash. */
export const repositoryRoot = join(import.meta.dirname, "..", "..");

/** All TypeScript files of the repository, with paths from its root. */
export function sourceFiles(): readonly SourceFile[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" }).map(
        (path) => `${folder}/${path.replaceAll("\\", "/")}`,
      ),
    )
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), "utf8") }));
}
