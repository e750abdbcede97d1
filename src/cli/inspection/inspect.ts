// The front door: names a place, reads its headers, and answers with what a user and the planner want to know.
import { basename, dirname } from "node:path";
import { InspectionError } from "./errors.ts";
import { readGgufCheckpoint } from "./gguf-checkpoint.ts";
import { findKnown } from "./known-model.ts";
import type { KnownModel } from "./known-model.ts";
import { kindOfPath, localFolder } from "./places/checkpoint-folder.ts";
import type { CheckpointFolder } from "./places/checkpoint-folder.ts";
import { findOnHub } from "./places/hub.ts";
import { findInOllama } from "./places/ollama.ts";
import { factsOf } from "./profile.ts";
import type { CheckpointFacts } from "./profile.ts";
import { openFile } from "./reading/byte-source.ts";
import type { ByteSource } from "./reading/byte-source.ts";
import type { HttpClient } from "./reading/http-client.ts";
import type { ReadBudget } from "./reading/read-budget.ts";
import { readSafetensorsCheckpoint } from "./safetensors-checkpoint.ts";
import type { ShardProgress } from "./safetensors-checkpoint.ts";
import type { Origin, Target } from "./target.ts";
import { onlyGguf, requireModelFolder } from "./true-names.ts";

/** All that an inspection finds. */
export interface Inspection {
  readonly origin: Origin;
  /** Files whose headers were read. */
  readonly files: readonly string[];
  readonly readBytes: number;
  readonly facts: CheckpointFacts;
  /** The catalog's model that this is, or has the architecture of. */
  readonly known?: KnownModel | undefined;
}

export interface InspectionContext {
  readonly client: HttpClient;
  readonly budget: ReadBudget;
  readonly onProgress?: (progress: ShardProgress) => void;
  readonly signal: AbortSignal;
}

type Found = Pick<Inspection, "origin" | "files" | "facts">;

/**
 * Reads the headers of `target`, never its weights.
 * @throws InspectionError
 */
export async function inspect(target: Target, context: InspectionContext): Promise<Inspection> {
  const found = await find(target, context);
  const known = findKnown(found.origin, found.facts);
  return { ...found, readBytes: context.budget.readBytes, known };
}

function find(target: Target, context: InspectionContext): Promise<Found> {
  if (target.kind === "hub") return findInRepository(target, context);
  if (target.kind === "ollama") return findInRegistry(target, context);
  return findHere(target.path, context);
}

async function findInRepository(
  target: Target & { readonly kind: "hub" },
  context: InspectionContext,
): Promise<Found> {
  const { repository, commit, gated, folder } = await findOnHub(
    context.client,
    target.endpoint,
    target,
    context.signal,
  );
  const origin: Origin = { kind: "huggingFace", repository, revision: commit, gated };
  return { origin, ...(await readFolder(folder, target.file, context)) };
}

async function findInRegistry(
  { registry, name }: Target & { readonly kind: "ollama" },
  { client, signal }: InspectionContext,
): Promise<Found> {
  const { digest, weightsDigest, weights } = await findInOllama(client, registry, name, signal);
  const namespace = name.namespace === "library" ? "" : `${name.namespace}/`;
  return {
    origin: { kind: "ollama", name: `${namespace}${name.model}:${name.tag}`, digest, weightsDigest },
    files: [weightsDigest],
    facts: await ggufFacts(weights, signal),
  };
}

async function findHere(path: string, context: InspectionContext): Promise<Found> {
  const origin: Origin = { kind: "local", path };
  const kind = await kindOfPath(path);
  if (kind === undefined) throw new InspectionError("target", `${path}: no such file or folder`);
  if (kind === "folder")
    return { origin, ...(await readFolder(await localFolder(path, context.budget), undefined, context)) };
  if (path.endsWith(".gguf")) {
    return {
      origin,
      files: [basename(path)],
      facts: await ggufFacts(await openFile(path, context.budget), context.signal),
    };
  }
  if (path.endsWith(".safetensors")) {
    const folder = await localFolder(dirname(path), context.budget);
    return { origin, ...(await readFolder(folder, basename(path), context)) };
  }
  throw new InspectionError("target", `${path}: name a folder, a .safetensors file or a .gguf file`);
}

/** A folder's one checkpoint: safetensors where there are some, else its only GGUF file. */
async function readFolder(
  folder: CheckpointFolder,
  only: string | undefined,
  { onProgress, signal }: InspectionContext,
): Promise<Pick<Found, "files" | "facts">> {
  const gguf = only?.endsWith(".gguf") === true ? only : ggufOf(folder, only);
  if (gguf !== undefined) {
    return { files: [gguf], facts: await ggufFacts(await folder.open(gguf, signal), signal) };
  }
  await requireModelFolder(folder, only, signal);
  const { checkpoint, files } = await readSafetensorsCheckpoint(folder, { only, onProgress }, signal);
  return { files, facts: factsOf(checkpoint) };
}

/** The only GGUF file of a folder without safetensors. @throws InspectionError where it would be a guess. */
function ggufOf({ name, fileNames }: CheckpointFolder, only: string | undefined): string | undefined {
  const names = [...fileNames];
  if (only !== undefined || names.some((name) => /^[^/]+\.safetensors$/.test(name))) return undefined;
  const found = onlyGguf(name, names);
  const pickled = names.filter((name) => /\.(?:bin|pth?)$/.test(name) && !name.startsWith("adapter_model"));
  if (found === undefined && pickled.length > 0) {
    throw new InspectionError(
      "unsupported",
      `${name}: has pickled weights only, which are programs and are not read; look for a safetensors copy`,
    );
  }
  return found;
}

async function ggufFacts(source: ByteSource, signal: AbortSignal): Promise<CheckpointFacts> {
  try {
    return factsOf(await readGgufCheckpoint(source, signal));
  } finally {
    await source.close();
  }
}
