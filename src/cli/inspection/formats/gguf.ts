// The head of a GGUF file: metadata and tensor infos of versions 2 and 3. What llama.cpp refuses is refused.
// Source: ggml's docs/gguf.md and src/gguf.cpp.
import { InspectionError, malformed, quoted } from "../errors.ts";
import type { ByteSource } from "../reading/byte-source.ts";
import { elementCount, maxTensors } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";
import { ggmlType } from "./ggml-types.ts";
import { GgufCursor } from "./gguf-cursor.ts";

/** Values that are kept: numbers, flags, short texts, and of arrays their length, with the numbers of short ones. */
export type GgufValue =
  | number
  | boolean
  | string
  | { readonly length: number; readonly numbers?: readonly number[] };

export interface GgufHead {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly Tensor[];
}

const maxMetadata = 65_536;
/** GGUF's own bound for keys. */
const maxKeyBytes = 65_535;
/** Longer texts, such as chat templates, are passed over. */
const maxKeptTextBytes = 1024;
/** GGML_MAX_NAME with its final zero. */
const maxTensorNameBytes = 63;
/** GGML_MAX_DIMS. */
const maxDimensions = 4;
const maxArrayDepth = 4;
/** One number a layer; a vocabulary has a hundred thousand. */
const maxKeptNumbers = 1024;
const defaultAlignment = 32;

/** The number of a value's type, as docs/gguf.md gives it. */
const valueType = { bool: 7, string: 8, array: 9 } as const;

/** Bytes of a number, and how it is read. */
const numberTypes: ReadonlyMap<number, readonly [bytes: number, read: (bytes: Buffer) => number]> = new Map([
  [0, [1, (bytes) => bytes.readUInt8()]],
  [1, [1, (bytes) => bytes.readInt8()]],
  [2, [2, (bytes) => bytes.readUInt16LE()]],
  [3, [2, (bytes) => bytes.readInt16LE()]],
  [4, [4, (bytes) => bytes.readUInt32LE()]],
  [5, [4, (bytes) => bytes.readInt32LE()]],
  [6, [4, (bytes) => bytes.readFloatLE()]],
  [valueType.bool, [1, (bytes) => bytes.readUInt8()]],
  [10, [8, (bytes) => Number(bytes.readBigUInt64LE())]],
  [11, [8, (bytes) => Number(bytes.readBigInt64LE())]],
  [12, [8, (bytes) => bytes.readDoubleLE()]],
]);

/** Reads the head. @throws InspectionError for a file that is no GGUF, or breaks the format. */
export async function readGguf(source: ByteSource, signal: AbortSignal): Promise<GgufHead> {
  const cursor = new GgufCursor(source, signal);
  const magic = (await cursor.bytes(4)).toString("latin1");
  if (magic !== "GGUF") throw malformed(source.name, "no GGUF file: it does not begin with GGUF");
  const version = await cursor.uint32();
  // A small number with its bytes the other way round.
  if (version !== 0 && version % 65_536 === 0) {
    throw new InspectionError(
      "unsupported",
      `${source.name}: a big-endian GGUF file, which no GPU machine reads`,
    );
  }
  if (version !== 2 && version !== 3) {
    throw new InspectionError("unsupported", `${source.name}: GGUF version ${version}; 2 and 3 are known`);
  }
  const tensorCount = bounded(source.name, "tensors", await cursor.size("its number of tensors"), maxTensors);
  const metadataCount = bounded(
    source.name,
    "metadata",
    await cursor.size("its number of metadata"),
    maxMetadata,
  );
  const metadata = await readMetadata(cursor, metadataCount);
  const infos: TensorInfo[] = [];
  for (let index = 0; index < tensorCount; index += 1) infos.push(await readTensorInfo(cursor));
  checkPlaces(cursor, infos, alignmentOf(source.name, metadata));
  return { version, metadata, tensors: infos.map(({ tensor }) => tensor) };
}

function bounded(file: string, what: string, count: number, max: number): number {
  if (count > max)
    throw new InspectionError("tooLarge", `${file}: ${count} ${what}, and at most ${max} are read`);
  return count;
}

async function readMetadata(cursor: GgufCursor, count: number): Promise<ReadonlyMap<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < count; index += 1) {
    const key = await cursor.text("a metadata key", maxKeyBytes);
    if (key === "") throw malformed(cursor.name, "has metadata without a key");
    if (metadata.has(key)) throw malformed(cursor.name, `has the key ${quoted(key)} twice`);
    metadata.set(key, await readValue(cursor, await cursor.uint32()));
  }
  return metadata;
}

async function readValue(cursor: GgufCursor, type: number): Promise<GgufValue> {
  if (type === valueType.array) return readArray(cursor, 1);
  if (type === valueType.string) {
    const length = await cursor.size("the length of a text");
    if (length <= maxKeptTextBytes) return (await cursor.bytes(length)).toString("utf8");
    cursor.skip(length);
    return { length };
  }
  const number = numberTypes.get(type);
  if (number === undefined) throw malformed(cursor.name, `has metadata of an unknown type ${type}`);
  const [bytes, read] = number;
  const value = read(await cursor.bytes(bytes));
  if (type !== valueType.bool) return value;
  if (value > 1) throw malformed(cursor.name, `has a flag of ${value}`);
  return value === 1;
}

/** Keeps the numbers of a short array, and passes over any other. */
async function readArray(
  cursor: GgufCursor,
  depth: number,
): Promise<{ readonly length: number; readonly numbers?: readonly number[] }> {
  if (depth > maxArrayDepth) throw malformed(cursor.name, `has arrays nested deeper than ${maxArrayDepth}`);
  const type = await cursor.uint32();
  const length = await cursor.size("the length of an array");
  if (type === valueType.string || type === valueType.array) {
    // Each element has a length at least.
    if (length * 8 > cursor.sizeBytes)
      throw malformed(cursor.name, `has an array of ${length} values, longer than itself`);
    if (type === valueType.string) await cursor.skipTexts(length);
    else for (let index = 0; index < length; index += 1) await readArray(cursor, depth + 1);
    return { length };
  }
  const number = numberTypes.get(type);
  if (number === undefined) throw malformed(cursor.name, `has an array of an unknown type ${type}`);
  if (length > cursor.sizeBytes)
    throw malformed(cursor.name, `has an array of ${length} values, longer than itself`);
  const [bytes, read] = number;
  if (length > maxKeptNumbers) {
    cursor.skip(length * bytes);
    return { length };
  }
  const all = await cursor.bytes(length * bytes);
  return {
    length,
    numbers: Array.from({ length }, (_, index) => read(all.subarray(index * bytes, (index + 1) * bytes))),
  };
}

interface TensorInfo {
  readonly tensor: Tensor;
  /** From the beginning of the data. */
  readonly offset: number;
}

async function readTensorInfo(cursor: GgufCursor): Promise<TensorInfo> {
  const name = await cursor.text("the name of a tensor", maxTensorNameBytes);
  const dimensions = await cursor.uint32();
  if (dimensions > maxDimensions) {
    throw malformed(
      cursor.name,
      `tensor ${quoted(name)} has ${dimensions} dimensions, and ${maxDimensions} is the most`,
    );
  }
  // GGUF counts from the innermost dimension.
  const sizes: number[] = [];
  for (let index = 0; index < dimensions; index += 1)
    sizes.push(await cursor.size(`a dimension of ${quoted(name)}`));
  const typeNumber = await cursor.uint32();
  const offset = await cursor.size(`the offset of ${quoted(name)}`);
  const type = ggmlType(typeNumber);
  if (type === undefined)
    throw malformed(cursor.name, `tensor ${quoted(name)} is of an unknown type ${typeNumber}`);
  const elements = elementCount(sizes);
  const bytes = elements === undefined ? Number.NaN : (elements / type.blockElements) * type.blockBytes;
  if (elements === undefined || !(bytes <= Number.MAX_SAFE_INTEGER)) {
    throw malformed(cursor.name, `tensor ${quoted(name)} is larger than any file: [${sizes.join(", ")}]`);
  }
  if ((sizes[0] ?? 1) % type.blockElements !== 0) {
    throw malformed(
      cursor.name,
      `tensor ${quoted(name)} has rows of ${sizes[0]} elements, and ${type.name} takes ${type.blockElements} at a time`,
    );
  }
  return { tensor: { name, type: type.name, shape: sizes.toReversed(), elements, bytes }, offset };
}

function alignmentOf(file: string, metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get("general.alignment") ?? defaultAlignment;
  const valid =
    typeof alignment === "number" &&
    alignment >= 1 &&
    alignment <= 65_536 &&
    Number.isInteger(Math.log2(alignment));
  if (!valid) throw malformed(file, "its general.alignment is no power of two");
  return alignment;
}

/** Tensors follow each other, each at the next multiple of the alignment, and all lie in the file. */
function checkPlaces(cursor: GgufCursor, infos: readonly TensorInfo[], alignment: number): void {
  const aligned = (position: number) => Math.ceil(position / alignment) * alignment;
  const dataStart = aligned(cursor.position);
  const names = new Set<string>();
  let expected = 0;
  let end = 0;
  for (const { tensor, offset } of infos) {
    if (names.has(tensor.name)) throw malformed(cursor.name, `has the tensor ${quoted(tensor.name)} twice`);
    names.add(tensor.name);
    if (offset !== expected) {
      const problem = offset < end ? "overlaps the tensor before it" : "leaves a gap before it";
      throw malformed(
        cursor.name,
        `tensor ${quoted(tensor.name)} ${problem}: it begins at ${offset}, not ${expected}`,
      );
    }
    end = offset + tensor.bytes;
    expected = aligned(end);
  }
  if (dataStart + end > cursor.sizeBytes) {
    throw malformed(
      cursor.name,
      `truncated: it has ${cursor.sizeBytes} bytes, and its tensors end at ${dataStart + end}`,
    );
  }
}
