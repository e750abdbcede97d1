// What can go wrong while a checkpoint is looked at, as one class that callers sort by its code. No error holds a
// header, a token or a signed address; names from files are quoted, because a hostile one may steer a terminal.

export type InspectionErrorCode =
  /** What was named cannot be looked at: no such file, not a name. */
  | "target"
  /** The server wants a token, or a licence accepted. */
  | "denied"
  /** The server has no such repository, revision or file. */
  | "notFound"
  /** No answer, or not the whole of one. */
  | "unreachable"
  /** A file that breaks its format, or files that contradict each other. */
  | "malformed"
  /** Well formed, and nothing that the operator serves. */
  | "unsupported"
  /** Beyond what is read, downloaded or held in memory. */
  | "tooLarge";

/** The one error of this part; the message says what, where and what to do. */
export class InspectionError extends Error {
  override readonly name = "InspectionError";
  readonly code: InspectionErrorCode;

  constructor(code: InspectionErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** For a file that breaks its format. */
export function malformed(file: string, problem: string, cause?: unknown): InspectionError {
  return new InspectionError("malformed", `${file}: ${problem}`, { cause });
}

const maxQuotedLength = 80;

/** Text of unknown origin for a message: short, in quotes, without what steers a terminal or turns text around. */
export function quoted(text: string): string {
  const short = text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}…` : text;
  return harmless(JSON.stringify(short));
}

/** A value of unknown origin for a message, as JSON writes it, and as short. */
export function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? "not set";
  return harmless(text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}…` : text);
}

function harmless(text: string): string {
  return text.replaceAll(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/g, "\ufffd");
}
