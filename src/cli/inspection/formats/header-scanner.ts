// Reads the JSON of a safetensors header from its bytes. JSON.parse would keep the last of two equal keys in silence,
// and build whatever a hostile header nests; the grammar here is the format's alone: an object of tensors, each with
// three fields, and one map of strings. It neither recurses nor backtracks.
import { isUtf8 } from "node:buffer";
import { InspectionError, malformed, quoted } from "../errors.ts";
import { maxTensors } from "../tensor.ts";

const byte = {
  quote: 0x22,
  comma: 0x2c,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** The longest tensor name or metadata text that is decoded. */
const maxTextBytes = 65_536;
/** PyTorch stops at 64 dimensions; no format of weights has more than a few. */
const maxDimensions = 64;

/** A cursor over the header's bytes. */
export class HeaderScanner {
  readonly #file: string;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(file: string, bytes: Buffer) {
    this.#file = file;
    this.#bytes = bytes;
    if (bytes[0] !== byte.openBrace) throw this.#broken("does not begin with {");
    if (!isUtf8(bytes)) throw this.#broken("is not UTF-8");
  }

  /** Calls `member` with each key of an object, at its value. Refuses keys that come twice. */
  object(member: (key: string) => void): void {
    const seen = new Set<string>();
    this.#expect(byte.openBrace, "{");
    if (this.#accept(byte.closeBrace)) return;
    do {
      const key = this.text();
      if (seen.has(key)) throw this.#broken(`has the key ${quoted(key)} twice`);
      if (seen.size > maxTensors) {
        throw new InspectionError("tooLarge", `${this.#file}: more than ${maxTensors} entries in its header`);
      }
      seen.add(key);
      this.#expect(byte.colon, ":");
      member(key);
    } while (this.#accept(byte.comma));
    this.#expect(byte.closeBrace, "}");
  }

  /** A string. */
  text(): string {
    this.#expect(byte.quote, "a string");
    const start = this.#at;
    let escaped = false;
    for (;;) {
      const next = this.#bytes[this.#at];
      if (next === undefined || next < 0x20) throw this.#broken("has a string that does not end");
      if (this.#at - start > maxTextBytes)
        throw this.#broken(`has a string of more than ${maxTextBytes} bytes`);
      if (next === byte.quote) break;
      if (next === byte.backslash) escaped = true;
      this.#at += next === byte.backslash ? 2 : 1;
    }
    const end = this.#at;
    this.#at += 1;
    return escaped ? this.#unescaped(start, end) : this.#bytes.toString("utf8", start, end);
  }

  /** A list of whole numbers of at least zero. */
  wholeNumbers(): readonly number[] {
    const numbers: number[] = [];
    this.#expect(byte.openBracket, "a list");
    if (this.#accept(byte.closeBracket)) return numbers;
    do {
      if (numbers.length === maxDimensions)
        throw this.#broken(`has a list of more than ${maxDimensions} numbers`);
      numbers.push(this.#wholeNumber());
    } while (this.#accept(byte.comma));
    this.#expect(byte.closeBracket, "]");
    return numbers;
  }

  /** After the last value: spaces, with which writers align the data, and nothing else. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#bytes.length) throw this.#broken("goes on after its end");
  }

  #wholeNumber(): number {
    this.#skipSpace();
    let value = 0;
    const start = this.#at;
    for (;;) {
      const digit = this.#bytes[this.#at];
      if (digit === undefined || digit < byte.zero || digit > byte.nine) break;
      value = value * 10 + (digit - byte.zero);
      if (!Number.isSafeInteger(value)) throw this.#broken("has a number beyond 2^53");
      this.#at += 1;
    }
    const leadingZero = this.#at - start > 1 && this.#bytes[start] === byte.zero;
    if (this.#at === start || leadingZero)
      throw this.#broken("has something else where a whole number belongs");
    return value;
  }

  #unescaped(start: number, end: number): string {
    try {
      return JSON.parse(this.#bytes.toString("utf8", start - 1, end + 1)) as string;
    } catch (error) {
      throw this.#broken("has a string with a broken escape", error);
    }
  }

  #expect(wanted: number, name: string): void {
    if (!this.#accept(wanted)) throw this.#broken(`lacks ${name}`);
  }

  #accept(wanted: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== wanted) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const next = this.#bytes[this.#at];
      if (next !== 0x20 && next !== 0x0a && next !== 0x0d && next !== 0x09) return;
      this.#at += 1;
    }
  }

  #broken(problem: string, cause?: unknown): InspectionError {
    return malformed(this.#file, `its safetensors header ${problem} (at byte ${this.#at})`, cause);
  }
}
