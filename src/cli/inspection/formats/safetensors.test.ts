import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InspectionError } from "../errors.ts";
import { memorySource } from "../testing/memory-source.ts";
import { rawSafetensors, safetensorsHead } from "../testing/checkpoint-files.ts";
import type { FileHead } from "../testing/checkpoint-files.ts";
import { readSafetensors } from "./safetensors.ts";

const { signal } = new AbortController();

const read = (file: FileHead) => readSafetensors(memorySource("model.safetensors", file), signal);

/** A header of one tensor `a` of two BF16 elements, with fields replaced. */
const one = (fields: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ a: { dtype: "BF16", shape: [2], data_offsets: [0, 4], ...fields } });

test("a header gives each tensor's type, shape and bytes, in the order of the data", async () => {
  const tensors = await read(
    safetensorsHead([
      { name: "a", dtype: "BF16", shape: [2, 3] },
      { name: "b", dtype: "F8_E4M3", shape: [5] },
      { name: "scalar", dtype: "F32", shape: [] },
      { name: "none", dtype: "F32", shape: [0, 7] },
    ]),
  );
  expect(tensors).toEqual([
    { name: "a", type: "BF16", shape: [2, 3], elements: 6, bytes: 12 },
    { name: "b", type: "F8_E4M3", shape: [5], elements: 5, bytes: 5 },
    { name: "scalar", type: "F32", shape: [], elements: 1, bytes: 4 },
    { name: "none", type: "F32", shape: [0, 7], elements: 0, bytes: 0 },
  ]);
});

test("spaces around and after the JSON, escapes in names and any order of fields are allowed", async () => {
  const header =
    ' { "\\u0061\\n" : { "data_offsets" : [ 0 , 4 ] , "shape":[2],"dtype":"BF16"} }    '.trimStart();
  expect(await read(rawSafetensors(header, 4))).toMatchObject([{ name: "a\n", bytes: 4 }]);
});

const header = (length: bigint, rest = Buffer.alloc(0)) => {
  const head = Buffer.alloc(8 + rest.length);
  head.writeBigUInt64LE(length);
  rest.copy(head, 8);
  return { head, sizeBytes: head.length };
};

const two = (first: readonly number[], second: readonly number[]) =>
  JSON.stringify({
    a: { dtype: "U8", shape: [4], data_offsets: first },
    b: { dtype: "U8", shape: [4], data_offsets: second },
  });

describe("a file is refused with a clear message when", () => {
  test.each<readonly [string, FileHead, string]>([
    ["it is empty", { head: Buffer.alloc(0), sizeBytes: 0 }, "truncated: it has 0 bytes, and 8 are needed"],
    [
      "its header would have 2^63 bytes",
      header(2n ** 63n),
      "its header would have 9223372036854775808 bytes",
    ],
    ["its header is longer than the format allows", header(100_000_001n), "the format allows 100000000"],
    [
      "its header goes beyond the file",
      header(1000n, Buffer.from("{}")),
      "truncated: it has 10 bytes, and 1008 are needed",
    ],
    ["its header is empty", header(0n), "does not begin with {"],
    ["its header is not UTF-8", rawSafetensors(Buffer.from([0x7b, 0x22, 0xff, 0x22]), 0), "is not UTF-8"],
    ["its header is no JSON", rawSafetensors('{"a":', 0), "lacks {"],
    ["its header goes on after its end", rawSafetensors("{} {}", 0), "goes on after its end"],
    ["a string does not end", rawSafetensors('{"a', 0), "has a string that does not end"],
    ["an escape is broken", rawSafetensors('{"\\q":1}', 0), "broken escape"],
    [
      "a tensor comes twice",
      rawSafetensors(`${one({}).slice(0, -1)},${one({}).slice(1)}`, 4),
      'has the key "a" twice',
    ],
    [
      "a field comes twice",
      rawSafetensors('{"a":{"dtype":"U8","dtype":"U8"}}', 0),
      'has the key "dtype" twice',
    ],
    ["JSON is nested", rawSafetensors(`{"a":${"[".repeat(1_000_000)}`, 0), "lacks {"],
    ["a shape is nested", rawSafetensors('{"a":{"shape":[[[[1]]]]}}', 0), "where a whole number belongs"],
    ["a size is negative", rawSafetensors(one({ shape: [-2] }), 4), "where a whole number belongs"],
    ["a size is a fraction", rawSafetensors('{"a":{"shape":[1.5]}}', 4), "lacks ]"],
    ["a size is beyond 2^53", rawSafetensors('{"a":{"shape":[90071992547409930]}}', 4), "beyond 2^53"],
    [
      "a shape's product overflows",
      rawSafetensors(one({ shape: [2 ** 40, 2 ** 40] }), 4),
      "larger than any file",
    ],
    ["a type is unknown", rawSafetensors(one({ dtype: "F7" }), 4), 'is of an unknown type "F7"'],
    ["a field is unknown", rawSafetensors(one({ code: "x" }), 4), 'has a field "code"'],
    [
      "a field is missing",
      rawSafetensors('{"a":{"dtype":"U8","shape":[1]}}', 1),
      "lacks dtype, shape or data_offsets",
    ],
    ["a tensor ends before it begins", rawSafetensors(one({ data_offsets: [4, 0] }), 4), "no begin and end"],
    [
      "a tensor has another size than its shape",
      rawSafetensors(one({ data_offsets: [0, 6] }), 6),
      "takes 6 bytes, and BF16 of shape [2] has 4",
    ],
    [
      "a tensor ends inside a byte",
      rawSafetensors('{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', 2),
      "ends inside a byte",
    ],
    [
      "tensors overlap",
      rawSafetensors(two([0, 4], [2, 6]), 6),
      'tensor "b" overlaps the tensor before it: it begins at 2, not 4',
    ],
    ["tensors leave a gap", rawSafetensors(two([0, 4], [5, 9]), 9), 'tensor "b" leaves a gap before it'],
    [
      "the first tensor does not begin at 0",
      rawSafetensors(one({ data_offsets: [2, 6] }), 6),
      "leaves a gap before it",
    ],
    [
      "data is missing",
      rawSafetensors(one({}), 3),
      "truncated: its tensors have 4 bytes, and 3 follow the header",
    ],
    ["data follows the last tensor", rawSafetensors(one({}), 5), "longer than its tensors"],
  ])("%s", async (_case, file, message) => {
    const error: unknown = await read(file).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InspectionError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toMatch(/^model\.safetensors: /);
  });
});

test("a name cannot steer the terminal that shows the error", async () => {
  const name = "\u001b[2J\u009b31m\u202eevil".padEnd(300, "x");
  const file = rawSafetensors(
    JSON.stringify({ [name]: { dtype: "F7", shape: [], data_offsets: [0, 0] } }),
    0,
  );
  const error = (await read(file).catch((error: unknown) => error)) as Error;
  expect(error.message).toMatch(/^[\u0020-\u007e\ufffd…]+$/);
  expect(error.message.length).toBeLessThan(300);
});

test("whatever bytes come, there is a result or an InspectionError, and soon", async () => {
  const valid = safetensorsHead([
    { name: "a", dtype: "BF16", shape: [2, 3] },
    { name: "b", dtype: "F32", shape: [5] },
  ]);
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.head.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const head = Buffer.from(valid.head);
      for (const [at, value] of changes) head[at] = value;
      return { head, sizeBytes: valid.sizeBytes };
    });
  const noise = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => ({ head: Buffer.from(bytes), sizeBytes: bytes.length }));
  const text = fc.string({ maxLength: 200 }).map((text) => rawSafetensors(text, 8));
  const json = fc.json({ maxDepth: 4 }).map((text) => rawSafetensors(text, 8));
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, noise, text, json), async (file) => {
      const result: unknown = await read(file).catch((error: unknown) => error);
      return Array.isArray(result) || result instanceof InspectionError;
    }),
    { numRuns: 1000 },
  );
}, 20_000);
