// Writes rendered files into a folder. What an earlier render left there and this one does not write is named, not
// deleted: the folder is a person's.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RenderedFile } from "./files.ts";

/** @returns paths of YAML files in the folder's own two folders that were not written now */
export async function writeFiles(folder: string, files: readonly RenderedFile[]): Promise<readonly string[]> {
  for (const { path, text } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const written = new Set(files.map(({ path }) => path));
  const folders = [...new Set(files.map(({ path }) => dirname(path)))];
  const present = await Promise.all(
    folders.map(async (name) => (await readdir(join(folder, name))).map((entry) => `${name}/${entry}`)),
  );
  return present.flat().filter((path) => path.endsWith(".yaml") && !written.has(path));
}
