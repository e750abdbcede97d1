// A file behind HTTP as bytes by offset. Opening it reads its first bytes, which tell its size as well.
import { InspectionError } from "../errors.ts";
import { requireRange } from "./byte-source.ts";
import type { ByteSource } from "./byte-source.ts";
import type { HttpClient, HttpTarget } from "./http-client.ts";

/** Opens a file and reads its first `headBytes`. @throws InspectionError */
export async function openHttp(
  client: HttpClient,
  target: HttpTarget,
  headBytes: number,
  signal: AbortSignal,
): Promise<ByteSource> {
  const { bytes: head, sizeBytes } = await client.range(target, 0, headBytes, signal);
  const source: ByteSource = {
    name: target.name,
    sizeBytes,
    async read(offset, length, signal) {
      requireRange(source, offset, length);
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      if (length === 0) return Buffer.alloc(0);
      const part = await client.range(target, offset, length, signal);
      if (part.sizeBytes !== sizeBytes || part.bytes.length !== length) {
        throw new InspectionError("unreachable", `${target.name}: the file changed while it was read`);
      }
      return part.bytes;
    },
    close: async () => undefined,
  };
  return source;
}
