// `npm run generate`: writes the files that follow from src/llama/api. With --check it writes nothing and exits 1 when
// one is stale.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const stale: string[] = [];
for (const { path, content } of await generatedFiles(root)) {
  const file = join(root, path);
  if ((await readIfThere(file)) === content) continue;
  stale.push(path);
  if (values.check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

if (values.check && stale.length > 0) {
  process.stderr.write(`stale, run \`npm run generate\`:\n${stale.map((path) => `  ${path}\n`).join("")}`);
  process.exitCode = 1;
} else {
  process.stdout.write(
    stale.length === 0 ? "nothing to write\n" : stale.map((path) => `wrote ${path}\n`).join(""),
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
