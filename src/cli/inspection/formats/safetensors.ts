// The header of a safetensors file: eight bytes with its length, then JSON that says of each tensor what it is and
// where. Checked as the format demands: huggingface/safetensors, README.md (format) and safetensors/src/tensor.rs.
import { malformed, quoted } from "../errors.ts";
import type { ByteSource } from "../reading/byte-source.ts";
import { elementCount } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";
import { HeaderScanner } from "./header-scanner.ts";

/** The format's own bound. Source: MAX_HEADER_SIZE of tensor.rs. */
const maxHeaderBytes = 100_000_000;
const lengthBytes = 8;

/** Bits of one element. Source: Dtype::bitsize of tensor.rs. */
const bitsOfType: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BOOL: 8,
    F4: 4,
    F6_E2M3: 6,
    F6_E3M2: 6,
    U8: 8,
    I8: 8,
    F8_E5M2: 8,
    F8_E4M3: 8,
    F8_E8M0: 8,
    I16: 16,
    U16: 16,
    F16: 16,
    BF16: 16,
    I32: 32,
    U32: 32,
    F32: 32,
    C64: 64,
    F64: 64,
    I64: 64,
    U64: 64,
  }),
);

interface Placed {
  readonly tensor: Tensor;
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors of a file, in the order of their data. Reads the header alone: twice, or once where the source holds
 * its first bytes already.
 * @throws InspectionError for a header that breaks the format in any way.
 */
export async function readSafetensors(source: ByteSource, signal: AbortSignal): Promise<readonly Tensor[]> {
  const length = (await source.read(0, lengthBytes, signal)).readBigUInt64LE();
  if (length > maxHeaderBytes) {
    throw malformed(
      source.name,
      `no safetensors file: its header would have ${length} bytes, and the format allows ${maxHeaderBytes}`,
    );
  }
  const headerBytes = Number(length);
  const header = await source.read(lengthBytes, headerBytes, signal);
  const placed = parseHeader(source.name, header);
  const dataBytes = source.sizeBytes - lengthBytes - headerBytes;
  checkPlaces(source.name, placed, dataBytes);
  return placed.map(({ tensor }) => tensor);
}

function parseHeader(file: string, header: Buffer): readonly Placed[] {
  const scanner = new HeaderScanner(file, header);
  const placed: Placed[] = [];
  scanner.object((name) => {
    if (name === "__metadata__") {
      scanner.object(() => scanner.text());
      return;
    }
    placed.push(parseTensor(file, name, scanner));
  });
  scanner.end();
  return placed.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
}

function parseTensor(file: string, name: string, scanner: HeaderScanner): Placed {
  let type: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  scanner.object((field) => {
    if (field === "dtype") type = scanner.text();
    else if (field === "shape") shape = scanner.wholeNumbers();
    else if (field === "data_offsets") offsets = scanner.wholeNumbers();
    else throw malformed(file, `tensor ${quoted(name)} has a field ${quoted(field)}, which the format lacks`);
  });
  const [begin, end] = offsets ?? [];
  if (type === undefined || shape === undefined || begin === undefined || end === undefined) {
    throw malformed(file, `tensor ${quoted(name)} lacks dtype, shape or data_offsets`);
  }
  if (offsets?.length !== 2 || end < begin) {
    throw malformed(file, `tensor ${quoted(name)} has no begin and end in its data_offsets`);
  }
  const { elements, bytes } = sizeOf(file, name, type, shape);
  if (end - begin !== bytes) {
    throw malformed(
      file,
      `tensor ${quoted(name)} takes ${end - begin} bytes, and ${type} of shape [${shape.join(", ")}] has ${bytes}`,
    );
  }
  return { tensor: { name, type, shape, elements, bytes }, begin, end };
}

function sizeOf(
  file: string,
  name: string,
  type: string,
  shape: readonly number[],
): { readonly elements: number; readonly bytes: number } {
  const bits = bitsOfType.get(type);
  if (bits === undefined)
    throw malformed(file, `tensor ${quoted(name)} is of an unknown type ${quoted(type)}`);
  const elements = elementCount(shape);
  const totalBits = elements === undefined ? Number.NaN : elements * bits;
  if (elements === undefined || !Number.isSafeInteger(totalBits)) {
    throw malformed(file, `tensor ${quoted(name)} is larger than any file: [${shape.join(", ")}]`);
  }
  if (totalBits % 8 !== 0) throw malformed(file, `tensor ${quoted(name)} ends inside a byte`);
  return { elements, bytes: totalBits / 8 };
}

/** Tensors follow each other without a gap, from the first byte after the header to the last of the file. */
function checkPlaces(file: string, placed: readonly Placed[], dataBytes: number): void {
  let expected = 0;
  for (const { tensor, begin, end } of placed) {
    if (begin !== expected) {
      const problem = begin < expected ? "overlaps the tensor before it" : "leaves a gap before it";
      throw malformed(
        file,
        `tensor ${quoted(tensor.name)} ${problem}: it begins at ${begin}, not ${expected}`,
      );
    }
    expected = end;
  }
  if (expected === dataBytes) return;
  const problem = expected > dataBytes ? "truncated" : "longer than its tensors";
  throw malformed(file, `${problem}: its tensors have ${expected} bytes, and ${dataBytes} follow the header`);
}
