// A file in memory whose weights are left out: beyond its head it holds zeros.
import { requireRange } from "../reading/byte-source.ts";
import type { ByteSource } from "../reading/byte-source.ts";
import type { FileHead } from "./checkpoint-files.ts";

export function memorySource(name: string, { head, sizeBytes }: FileHead): ByteSource {
  const source: ByteSource = {
    name,
    sizeBytes,
    async read(offset, length, signal) {
      signal.throwIfAborted();
      requireRange(source, offset, length);
      const bytes = Buffer.alloc(length);
      if (offset < head.length) head.copy(bytes, 0, offset, Math.min(offset + length, head.length));
      return bytes;
    },
    close: async () => undefined,
  };
  return source;
}
