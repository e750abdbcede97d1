// How numbers are written for people, the same in refusals, reasons and tables.
import type { WeightFormat } from "../../catalog/weight-bytes.ts";

const gibibyte = 2 ** 30;

/** `47.7 GiB`: rounded to a tenth; what is smaller than a tenth is written in hundredths. */
export function gib(bytes: number): string {
  const value = bytes / gibibyte;
  return `${value !== 0 && Math.abs(value) < 0.1 ? value.toFixed(2) : value.toFixed(1)} GiB`;
}

/** `131,072`. */
export function thousands(value: number): string {
  return String(Math.trunc(value)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** A context length in the field's short form: `128K` for 131,072, `8000` where it is no multiple of 1024. */
export function contextLength(tokens: number): string {
  return tokens >= 1024 && tokens % 1024 === 0 ? `${tokens / 1024}K` : thousands(tokens);
}

/** `1 node`, `2 nodes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `BF16`, `FP8`. */
export function formatName(format: WeightFormat): string {
  return format.toUpperCase();
}
