// A checkpoint in safetensors: config.json, and the headers of one file or of many shards with their index.
import { z } from "zod";
import { InspectionError, malformed, quoted } from "./errors.ts";
import { readSafetensors } from "./formats/safetensors.ts";
import { maxConfigBytes, readConfig } from "./config/hugging-face-config.ts";
import type { HuggingFaceConfig } from "./config/hugging-face-config.ts";
import type { ProfileWeights, Quantization } from "./config/quantization.ts";
import { parseDocument } from "./json-document.ts";
import type { CheckpointFolder } from "./places/checkpoint-folder.ts";
import type { Checkpoint } from "./profile.ts";
import { maxTensors } from "./tensor.ts";
import type { Tensor } from "./tensor.ts";

const configFile = "config.json";
const sidecarFile = "hf_quant_config.json";
const indexFile = "model.safetensors.index.json";
const singleFile = "model.safetensors";

/** One tensor takes about 100 bytes: that of 405B has 0.1 MB. */
const maxIndexBytes = 32 * 1_048_576;
/** 405B in BF16 has 191. */
const maxShards = 4096;
/** Shards whose headers are read side by side. */
const concurrency = 8;

export interface ShardProgress {
  readonly done: number;
  readonly total: number;
}

const indexSchema = z.object({
  metadata: z.object({ total_size: z.number().optional() }).nullish(),
  weight_map: z.record(z.string(), z.string().max(255)),
});

/** A checkpoint and the files that it was read from. */
export interface SafetensorsCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly files: readonly string[];
}

/**
 * Reads the configuration and all headers.
 * @param only The one file to read, where the user has named it.
 * @throws InspectionError
 */
export async function readSafetensorsCheckpoint(
  folder: CheckpointFolder,
  options: {
    readonly only?: string | undefined;
    readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
  },
  signal: AbortSignal,
): Promise<SafetensorsCheckpoint> {
  const config = await readConfigOf(folder, signal);
  const index = options.only === undefined ? await readIndex(folder, signal) : undefined;
  const files = index?.files ?? [options.only ?? oneFile(folder)];
  const tensors = await readShards(folder, files, options.onProgress, signal);
  const notes = index === undefined ? [] : checkIndex(index, tensors);
  const { architecture, quantization } = config;
  return {
    files,
    checkpoint: {
      name: folder.name,
      format: "safetensors",
      architecture,
      quantization,
      tensors: tensors.map(({ tensor }) => tensor),
      notes: [...config.notes, ...notes, ...notesOn(tensors)],
      weightsOf: (type) => weightsOfType(type, quantization),
    },
  };
}

async function readConfigOf(folder: CheckpointFolder, signal: AbortSignal): Promise<HuggingFaceConfig> {
  if (!folder.fileNames.has(configFile)) {
    throw new InspectionError(
      "notFound",
      `${folder.name}: has no ${configFile}: the model's sizes are unknown without it`,
    );
  }
  const read = async (file: string) => ({
    name: `${folder.name}/${file}`,
    text: await folder.readText(file, maxConfigBytes, signal),
  });
  const sidecar = folder.fileNames.has(sidecarFile) ? await read(sidecarFile) : undefined;
  return readConfig(await read(configFile), sidecar);
}

interface ShardIndex {
  readonly files: readonly string[];
  readonly fileOf: ReadonlyMap<string, string>;
  readonly totalBytes: number | undefined;
  readonly name: string;
}

async function readIndex(folder: CheckpointFolder, signal: AbortSignal): Promise<ShardIndex | undefined> {
  if (!folder.fileNames.has(indexFile)) return undefined;
  const name = `${folder.name}/${indexFile}`;
  const text = await folder.readText(indexFile, maxIndexBytes, signal);
  const { weight_map: map, metadata } = parseDocument(name, text, indexSchema);
  const fileOf = new Map(Object.entries(map));
  const files = [...new Set(fileOf.values())].toSorted();
  for (const file of files) {
    const plain = /^[^/\\]+\.safetensors$/.test(file);
    if (!plain) throw malformed(name, `names ${quoted(file)}, which is no safetensors file beside it`);
    if (!folder.fileNames.has(file)) throw malformed(name, `names ${quoted(file)}, which is not there`);
  }
  if (files.length === 0) throw malformed(name, "names no file");
  if (files.length > maxShards) {
    throw new InspectionError(
      "tooLarge",
      `${name}: ${files.length} shards, and at most ${maxShards} are read`,
    );
  }
  return { files, fileOf, totalBytes: metadata?.total_size, name };
}

/** The file of a checkpoint that has no index. */
function oneFile(folder: CheckpointFolder): string {
  if (folder.fileNames.has(singleFile)) return singleFile;
  const found = [...folder.fileNames].filter((name) => /^[^/\\]+\.safetensors$/.test(name));
  const [file] = found;
  if (file !== undefined && found.length === 1) return file;
  throw new InspectionError(
    "notFound",
    found.length === 0
      ? `${folder.name}: has no safetensors file`
      : `${folder.name}: has ${found.length} safetensors files and no ${indexFile} that says which belong together`,
  );
}

interface ShardTensor {
  readonly tensor: Tensor;
  readonly file: string;
}

/** The tensors of all shards; a few are read at a time, and the first failure ends the others. */
async function readShards(
  folder: CheckpointFolder,
  files: readonly string[],
  onProgress: ((progress: ShardProgress) => void) | undefined,
  signal: AbortSignal,
): Promise<readonly ShardTensor[]> {
  const failing = new AbortController();
  const anyEnd = AbortSignal.any([signal, failing.signal]);
  const shards: (readonly ShardTensor[])[] = [];
  let next = 0;
  let done = 0;
  let count = 0;
  const work = async (): Promise<void> => {
    for (let at = next; at < files.length; at = next) {
      next += 1;
      const file = files[at] ?? "";
      const tensors = await readShard(folder, file, anyEnd);
      count += tensors.length;
      if (count > maxTensors)
        throw new InspectionError("tooLarge", `${folder.name}: more than ${maxTensors} tensors`);
      shards[at] = tensors.map((tensor) => ({ tensor, file }));
      done += 1;
      onProgress?.({ done, total: files.length });
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, files.length) }, async () => {
    try {
      await work();
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(workers);
  signal.throwIfAborted();
  // The others ended because of the first: its reason is the one to tell.
  if (settled.some(({ status }) => status === "rejected")) throw failing.signal.reason;
  return withoutDoubles(folder.name, shards.flat());
}

async function readShard(
  folder: CheckpointFolder,
  file: string,
  signal: AbortSignal,
): Promise<readonly Tensor[]> {
  const source = await folder.open(file, signal);
  try {
    return await readSafetensors(source, signal);
  } finally {
    await source.close();
  }
}

function withoutDoubles(name: string, tensors: readonly ShardTensor[]): readonly ShardTensor[] {
  const fileOf = new Map<string, string>();
  for (const { tensor, file } of tensors) {
    const other = fileOf.get(tensor.name);
    if (other !== undefined)
      throw malformed(name, `tensor ${quoted(tensor.name)} is in ${quoted(other)} and in ${quoted(file)}`);
    fileOf.set(tensor.name, file);
  }
  return tensors;
}

/** Holds the index against the shards. Returns what is odd and does no harm. */
function checkIndex(index: ShardIndex, tensors: readonly ShardTensor[]): readonly string[] {
  const found = new Map(tensors.map(({ tensor, file }) => [tensor.name, file]));
  for (const [name, file] of index.fileOf) {
    if (found.get(name) !== file)
      throw malformed(index.name, `says that ${quoted(name)} is in ${quoted(file)}, and it is not`);
  }
  const bytes = tensors.reduce((sum, { tensor }) => sum + tensor.bytes, 0);
  const unlisted = tensors.length - index.fileOf.size;
  return [
    ...(unlisted > 0 ? [`the index leaves out ${unlisted} tensors of its files; they are counted`] : []),
    ...(index.totalBytes !== undefined && index.totalBytes !== bytes
      ? [`the index says ${index.totalBytes} bytes, and the tensors have ${bytes}; the tensors are believed`]
      : []),
  ];
}

function notesOn(tensors: readonly ShardTensor[]): readonly string[] {
  const half = tensors.some(({ tensor }) => tensor.type === "F16" && tensor.name.endsWith("_proj.weight"));
  return half ? ["its weights are FP16, which takes what BF16 takes"] : [];
}

/** Packed integers say nothing of their width: the configuration does. */
function weightsOfType(type: string, quantization: Quantization | undefined): ProfileWeights | undefined {
  switch (type) {
    case "BF16":
    case "F16":
    case "F32":
    case "F64":
      return "bf16";
    case "F8_E4M3":
    case "F8_E5M2":
      return "fp8";
    case "I8":
      return "int8";
    case "I32":
    case "U8":
      return quantization?.weights === "int4" || quantization?.weights === "int8"
        ? quantization.weights
        : undefined;
    default:
      return undefined;
  }
}
