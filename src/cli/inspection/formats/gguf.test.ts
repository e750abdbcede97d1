import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InspectionError } from "../errors.ts";
import type { FileHead } from "../testing/checkpoint-files.ts";
import { entry, ggufHead, ggufTypes, text, uint32, uint64 } from "../testing/gguf-writer.ts";
import type { GgufTensorToWrite } from "../testing/gguf-writer.ts";
import { memorySource } from "../testing/memory-source.ts";
import { readGguf } from "./gguf.ts";

const { signal } = new AbortController();
const read = (file: FileHead) => readGguf(memorySource("model.gguf", file), signal);

const matrix = (name: string, more: Partial<GgufTensorToWrite> = {}): GgufTensorToWrite => ({
  name,
  dimensions: [256, 2],
  type: ggufTypes.q4K,
  bytes: 288,
  ...more,
});

const metadata = [entry.text("general.architecture", "llama"), entry.uint32("llama.block_count", 2)];

test("a head gives metadata, and tensors with rows first and block-wise bytes", async () => {
  const {
    version,
    metadata: found,
    tensors,
  } = await read(
    ggufHead(
      [
        ...metadata,
        entry.texts("tokens", ["a", "bc"]),
        entry.numbers("types", [1, 2, 3]),
        entry.numbers(
          "many",
          Array.from({ length: 1025 }, () => 1),
        ),
        entry.text("long", "x".repeat(5000)),
      ],
      [matrix("token_embd.weight"), { name: "norm", dimensions: [3], type: ggufTypes.f32, bytes: 12 }],
    ),
  );
  expect(version).toBe(3);
  expect(Object.fromEntries(found)).toEqual({
    "general.architecture": "llama",
    "llama.block_count": 2,
    tokens: { length: 2 },
    types: { length: 3, numbers: [1, 2, 3] },
    many: { length: 1025 },
    long: { length: 5000 },
  });
  expect(tensors).toEqual([
    { name: "token_embd.weight", type: "Q4_K", shape: [2, 256], elements: 512, bytes: 288 },
    { name: "norm", type: "F32", shape: [3], elements: 3, bytes: 12 },
  ]);
});

test("a vocabulary that is larger than one read is passed over", async () => {
  const tokens = Array.from({ length: 200_000 }, (_, index) => `token ${index}`);
  const { metadata } = await read(
    ggufHead([entry.texts("tokens", tokens), entry.uint32("after", 7)], [matrix("a")]),
  );
  expect(metadata.get("tokens")).toEqual({ length: 200_000 });
  expect(metadata.get("after")).toBe(7);
});

/** An array of that type and length, and nothing in it. */
const emptyArray = (type: number, length: bigint) =>
  Buffer.concat([text("k"), uint32(9), uint32(type), uint64(length)]);
const nested = Buffer.concat([
  text("k"),
  uint32(9),
  ...Array.from({ length: 9 }, () => Buffer.concat([uint32(9), uint64(1)])),
]);

describe("a file is refused with a clear message when", () => {
  test.each<readonly [string, FileHead, string]>([
    ["it is empty", { head: Buffer.alloc(0), sizeBytes: 0 }, "truncated"],
    [
      "it is something else",
      { head: Buffer.from("PK\u0003\u0004 and so on, and so on"), sizeBytes: 30 },
      "does not begin with GGUF",
    ],
    ["its version is unknown", ggufHead([], [], { version: 4 }), "GGUF version 4; 2 and 3 are known"],
    ["its version is too old", ggufHead([], [], { version: 1 }), "GGUF version 1"],
    ["it is big-endian", ggufHead([], [], { version: 0x0300_0000 }), "big-endian"],
    ["it has 2^60 tensors", ggufHead([], [], { tensorCount: 2n ** 60n }), "larger than any file"],
    ["it has 2^40 metadata", ggufHead([], [], { metadataCount: 2n ** 40n }), "1099511627776 metadata"],
    ["it has fewer metadata than it says", ggufHead(metadata, [], { metadataCount: 3n }), "without a key"],
    ["a key is longer than the file", ggufHead([uint64(2n ** 50n)], []), "at most 65535 are allowed"],
    [
      "a text is longer than the file",
      ggufHead([Buffer.concat([text("k"), uint32(8), uint64(10_000)])], []),
      "truncated",
    ],
    [
      "a text is longer than any file",
      ggufHead([Buffer.concat([text("k"), uint32(8), uint64(2n ** 63n)])], []),
      "larger than any file",
    ],
    [
      "an array has 2^40 numbers",
      ggufHead([emptyArray(4, 2n ** 40n)], []),
      "an array of 1099511627776 values, longer than itself",
    ],
    [
      "an array has 2^40 texts",
      ggufHead([emptyArray(8, 2n ** 40n)], []),
      "an array of 1099511627776 values, longer than itself",
    ],
    ["arrays are nested", ggufHead([nested], []), "nested deeper than 4"],
    ["an array is of an unknown type", ggufHead([emptyArray(99, 1n)], []), "unknown type 99"],
    [
      "a value is of an unknown type",
      ggufHead([Buffer.concat([text("k"), uint32(13)])], []),
      "unknown type 13",
    ],
    [
      "a flag is neither true nor false",
      ggufHead([Buffer.concat([text("k"), uint32(7), Buffer.from([2])])], []),
      "a flag of 2",
    ],
    [
      "a key comes twice",
      ggufHead([entry.uint32("k", 1), entry.uint32("k", 2)], []),
      'has the key "k" twice',
    ],
    [
      "the alignment is no power of two",
      ggufHead([entry.uint32("general.alignment", 24)], []),
      "no power of two",
    ],
    ["the alignment is zero", ggufHead([entry.uint32("general.alignment", 0)], []), "no power of two"],
    [
      "a tensor has five dimensions",
      ggufHead([], [matrix("a", { dimensions: [256, 1, 1, 1, 1] })]),
      "5 dimensions",
    ],
    [
      "a tensor's size overflows",
      ggufHead([], [matrix("a", { dimensions: [2n ** 40n, 2n ** 40n] })]),
      "larger than any file",
    ],
    [
      "a tensor is of a type that ggml took away",
      ggufHead([], [matrix("a", { type: 31 })]),
      "unknown type 31",
    ],
    [
      "a row is no whole number of blocks",
      ggufHead([], [matrix("a", { dimensions: [100, 2] })]),
      "takes 256 at a time",
    ],
    ["a tensor's name is too long", ggufHead([], [matrix("a".repeat(64))]), "64 bytes, and at most 63"],
    ["a tensor comes twice", ggufHead([], [matrix("a"), matrix("a")]), 'has the tensor "a" twice'],
    ["tensors overlap", ggufHead([], [matrix("a"), matrix("b", { offset: 256 })]), 'tensor "b" overlaps'],
    [
      "tensors leave a gap",
      ggufHead([], [matrix("a"), matrix("b", { offset: 320 })]),
      'tensor "b" leaves a gap',
    ],
    ["data is missing", { ...ggufHead([], [matrix("a")]), sizeBytes: 300 }, "truncated"],
  ])("%s", async (_case, file, message) => {
    const error: unknown = await read(file).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InspectionError);
    expect((error as Error).message).toContain(message);
  });
});

test("a head that never ends is given up at a bound, and not held", async () => {
  // A file of zeros behind an array of strings: each of them empty, and the file a terabyte.
  const { head } = ggufHead([emptyArray(8, 2n ** 36n)], []);
  const error: unknown = await read({ head, sizeBytes: 2 ** 40 }).catch((error: unknown) => error);
  expect((error as InspectionError).code).toBe("tooLarge");
  expect((error as InspectionError).message).toContain("beyond 128 MiB");
}, 20_000);

test("whatever bytes come, there is a result or an InspectionError, and soon", async () => {
  const valid = ggufHead(
    [...metadata, entry.texts("tokens", ["a", "bc"]), entry.numbers("n", [1, 2])],
    [matrix("a")],
  );
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.head.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const head = Buffer.from(valid.head);
      for (const [at, value] of changes) head[at] = value;
      return { head, sizeBytes: valid.sizeBytes };
    });
  const cut = fc
    .nat(valid.sizeBytes)
    .map((sizeBytes) => ({ head: valid.head.subarray(0, sizeBytes), sizeBytes }));
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
    const head = Buffer.concat([
      Buffer.from("GGUF"),
      uint32(3),
      uint64(bytes.length % 5),
      uint64(bytes.length % 7),
      bytes,
    ]);
    return { head, sizeBytes: head.length };
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, cut, noise), async (file) => {
      const result: unknown = await read(file).catch((error: unknown) => error);
      return (
        result instanceof InspectionError ||
        (typeof result === "object" && result !== null && "tensors" in result)
      );
    }),
    { numRuns: 1000 },
  );
}, 20_000);
