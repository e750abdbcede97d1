// Folders of checkpoints for tests whose weights are holes, so that 16 GB of them take nothing.
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileHead } from "./checkpoint-files.ts";

/** Writes `files` into a new folder of that name, somewhere below `root`, and returns its path. */
export function sparseFolder(
  root: string,
  files: Iterable<readonly [string, FileHead]>,
  name = "model",
): string {
  const folder = join(mkdtempSync(join(root, "case-")), name);
  mkdirSync(folder);
  for (const [file, { head, sizeBytes }] of files) {
    writeFileSync(join(folder, file), head);
    truncateSync(join(folder, file), sizeBytes);
  }
  return folder;
}
