// The files of one checkpoint, wherever they lie: a folder of this machine, a repository on a hub.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InspectionError } from "../errors.ts";
import { openFile, unreadable } from "../reading/byte-source.ts";
import type { ByteSource } from "../reading/byte-source.ts";
import type { ReadBudget } from "../reading/read-budget.ts";

export interface CheckpointFolder {
  /** For messages. */
  readonly name: string;
  readonly fileNames: ReadonlySet<string>;
  /** A small document, as text. @throws InspectionError */
  readText(fileName: string, maxBytes: number, signal: AbortSignal): Promise<string>;
  /** @throws InspectionError */
  open(fileName: string, signal: AbortSignal): Promise<ByteSource>;
}

/** A folder of this machine. @throws InspectionError */
export async function localFolder(path: string, budget: ReadBudget): Promise<CheckpointFolder> {
  const fileNames = await readdir(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const open = (fileName: string) => openFile(join(path, fileName), budget);
  return {
    name: path,
    fileNames: new Set(fileNames),
    open,
    async readText(fileName, maxBytes, signal) {
      const source = await open(fileName);
      try {
        if (source.sizeBytes > maxBytes) {
          throw new InspectionError(
            "tooLarge",
            `${source.name}: ${source.sizeBytes} bytes, and at most ${maxBytes} are read`,
          );
        }
        return (await source.read(0, source.sizeBytes, signal)).toString("utf8");
      } finally {
        await source.close();
      }
    },
  };
}

/** What a path of this machine is; undefined where there is nothing. */
export async function kindOfPath(path: string): Promise<"folder" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
}
