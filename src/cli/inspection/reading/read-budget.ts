// How much one inspection may read in all, so that no file and no server can make it read, wait or hold more.
import { InspectionError } from "../errors.ts";

/** Counts what is read, and ends an inspection that would read too much. */
export class ReadBudget {
  readonly #maxBytes: number;
  #readBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes asked for so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** Before a read of `bytes`. @throws InspectionError where that is too much. */
  take(bytes: number, name: string): void {
    if (this.#readBytes + bytes > this.#maxBytes) {
      throw new InspectionError(
        "tooLarge",
        `${name}: its headers would take the bytes read beyond ${this.#maxBytes / 1e6} MB: no model needs that, so nothing more is read`,
      );
    }
    this.#readBytes += bytes;
  }
}
