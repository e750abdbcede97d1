// The ends of the programs' logs, for error messages.

import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Enough for some hundred lines. */
const tailBytes = 64 * 1024;

/** The last lines of each log of a folder, under a heading with its name; of all programs, or of the named ones. */
export async function logsTail(
  logsDir: string,
  lines: number,
  programs?: readonly string[],
): Promise<string> {
  const found = await readdir(logsDir).catch(() => []);
  const names = found
    .filter((name) => programs === undefined || programs.includes(name.replace(/\.log$/, "")))
    .toSorted();
  const parts = await Promise.all(
    names.map(async (name) => {
      const path = join(logsDir, name);
      return `--- ${path}\n${await tail(path, lines)}`;
    }),
  );
  return parts.join("\n");
}

async function tail(path: string, lines: number): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, tailBytes));
  await file.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString("utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
