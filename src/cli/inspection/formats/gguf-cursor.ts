// Reads the head of a GGUF file from front to back, a window at a time: a vocabulary makes heads of several megabytes,
// and nothing of it needs to be kept.
import { InspectionError, malformed } from "../errors.ts";
import type { ByteSource } from "../reading/byte-source.ts";

/** One read. Larger than any value that is kept. */
const windowBytes = 1_048_576;
/** How far a head may go. That of Llama 3 has 8 MB, for 128,256 tokens and 280,147 merges. */
const maxHeadBytes = 128 * 1_048_576;

export class GgufCursor {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal;
  #window: Buffer = Buffer.alloc(0);
  /** Where the window lies in the file. */
  #windowStart = 0;
  #at = 0;

  constructor(source: ByteSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** The file's name, for messages. */
  get name(): string {
    return this.#source.name;
  }

  /** Where the next value is read, from the file's beginning. */
  get position(): number {
    return this.#windowStart + this.#at;
  }

  get sizeBytes(): number {
    return this.#source.sizeBytes;
  }

  async uint32(): Promise<number> {
    return (await this.bytes(4)).readUInt32LE();
  }

  /** A 64-bit number of which only values that a JavaScript number holds make sense: a count, a size, an offset. */
  async size(what: string): Promise<number> {
    const value = (await this.bytes(8)).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw malformed(this.name, `${what} is ${value}, larger than any file`);
    return Number(value);
  }

  /** The next `length` bytes; valid until the next read. */
  async bytes(length: number): Promise<Buffer> {
    if (this.#window.length - this.#at < length) await this.#fill(length);
    const start = this.#at;
    this.#at += length;
    return this.#window.subarray(start, this.#at);
  }

  /** A string of at most `maxBytes`, which starts with its length. */
  async text(what: string, maxBytes: number): Promise<string> {
    const length = await this.size(`the length of ${what}`);
    if (length > maxBytes)
      throw malformed(this.name, `${what} has ${length} bytes, and at most ${maxBytes} are allowed`);
    return (await this.bytes(length)).toString("utf8");
  }

  /** Passes over `length` bytes without reading them. */
  skip(length: number): void {
    const target = this.position + length;
    if (target > this.sizeBytes) {
      throw malformed(this.name, `truncated: it has ${this.sizeBytes} bytes, and its head goes to ${target}`);
    }
    if (this.#at + length <= this.#window.length) {
      this.#at += length;
      return;
    }
    this.#window = Buffer.alloc(0);
    this.#windowStart = target;
    this.#at = 0;
  }

  /** Passes over `count` strings. */
  async skipTexts(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      // Without a promise for each of some 400,000 strings, where the window has them.
      const length =
        this.#window.length - this.#at >= 8
          ? this.#bufferedSize()
          : await this.size("the length of a string");
      this.skip(length);
    }
  }

  #bufferedSize(): number {
    const low = this.#window.readUInt32LE(this.#at);
    const high = this.#window.readUInt32LE(this.#at + 4);
    this.#at += 8;
    if (high > 0x1f_ffff) throw malformed(this.name, "a string is larger than any file");
    return high * 2 ** 32 + low;
  }

  async #fill(length: number): Promise<void> {
    const { position } = this;
    const end = position + Math.max(length, windowBytes);
    if (position + length > maxHeadBytes) {
      throw new InspectionError(
        "tooLarge",
        `${this.name}: its head goes beyond ${maxHeadBytes / 1_048_576} MiB`,
      );
    }
    const available = Math.min(end, this.sizeBytes) - position;
    if (available < length) {
      throw malformed(
        this.name,
        `truncated: it has ${this.sizeBytes} bytes, and its head goes to ${position + length} at least`,
      );
    }
    this.#window = await this.#source.read(position, available, this.#signal);
    this.#windowStart = position;
    this.#at = 0;
  }
}
