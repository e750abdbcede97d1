// Reads the manifests that `-f` names: files, folders, `-`; YAML of one or many documents, JSON, Lists. Each object
// keeps where it came from, because a message about it must say so.
import { readFile, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** One object of a manifest. */
export interface Manifest {
  /** `examples/llama-8b.yaml`, with `, document 2` where there are several. */
  readonly source: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** As written, unchecked. */
  readonly object: Readonly<Record<string, unknown>>;
}

const manifestEndings = new Set([".yaml", ".yml", ".json"]);

/**
 * All objects of `paths`, in order. `-` is standard input; a folder stands for its manifests, not for those of its
 * folders.
 * @throws CommandError (usage) for what cannot be read or is no manifest.
 */
export async function readManifests(
  paths: readonly string[],
  terminal: Terminal,
): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const path of paths) {
    if (path === "-") {
      manifests.push(...parseManifests("standard input", await terminal.readInput()));
      continue;
    }
    for (const file of await filesOf(path)) {
      manifests.push(...parseManifests(file, await readText(file)));
    }
  }
  return manifests;
}

/** The objects of one text. @throws CommandError (usage) */
export function parseManifests(source: string, text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text);
  const manifests: Manifest[] = [];
  const several = documents.length > 1;
  for (const [index, document] of documents.entries()) {
    const where = several ? `${source}, document ${index + 1}` : source;
    const [error] = document.errors;
    if (error !== undefined) throw usage(`${where}: not YAML: ${firstLine(error.message)}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    manifests.push(...objectsOf(where, value));
  }
  return manifests;
}

function objectsOf(source: string, value: unknown): readonly Manifest[] {
  if (!isRecord(value)) throw usage(`${source}: a manifest is an object with apiVersion and kind`);
  const { apiVersion, kind, items } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    throw usage(`${source}: apiVersion and kind are missing; every manifest has both`);
  }
  if (kind === "List" && Array.isArray(items)) {
    return items.flatMap((item: unknown, index) => objectsOf(`${source}, item ${index + 1}`, item));
  }
  return [{ source, apiVersion, kind, object: value }];
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => manifestEndings.has(extname(name)));
    if (names.length === 0) throw usage(`${path}: a folder without .yaml, .yml or .json files`);
    return names.toSorted().map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(path: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "may not be read" : String(error);
  return usage(`${path}: ${why}`, error);
}

function usage(message: string, cause?: unknown): CommandError {
  return new CommandError(message, { code: exitCodes.usage, cause });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
