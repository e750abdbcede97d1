// Bytes of a checkpoint's file, wherever it lies, by offset: formats read heads with it and never a whole file.
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { InspectionError, malformed } from "../errors.ts";
import type { ReadBudget } from "./read-budget.ts";

/** A file that can be read at any place. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `offset`. @throws InspectionError where the file ends before. */
  read(offset: number, length: number, signal: AbortSignal): Promise<Buffer>;
  close(): Promise<void>;
}

/** Refuses a range that is not in the file, before memory is taken for it. */
export function requireRange(source: ByteSource, offset: number, length: number): void {
  if (offset + length <= source.sizeBytes) return;
  throw malformed(
    source.name,
    `truncated: it has ${source.sizeBytes} bytes, and ${offset + length} are needed`,
  );
}

/** Opens a file of this machine. @throws InspectionError for what is not there or no regular file. */
export async function openFile(path: string, budget: ReadBudget): Promise<ByteSource> {
  try {
    // Asked before it is opened: opening a pipe would wait for a writer.
    const facts = await stat(path);
    if (!facts.isFile()) throw new InspectionError("target", `${path}: not a regular file`);
    return new FileSource(path, facts.size, await open(path, "r"), budget);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Says why a path of this machine cannot be read. */
export function unreadable(path: string, error: unknown): InspectionError {
  if (error instanceof InspectionError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why =
    code === "ENOENT" ? "no such file or folder" : code === "EACCES" ? "may not be read" : String(error);
  return new InspectionError("target", `${path}: ${why}`, { cause: error });
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #budget: ReadBudget;

  constructor(name: string, sizeBytes: number, handle: FileHandle, budget: ReadBudget) {
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.#handle = handle;
    this.#budget = budget;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Buffer> {
    requireRange(this, offset, length);
    this.#budget.take(length, this.name);
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw malformed(this.name, "it shrank while it was read");
      filled += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
