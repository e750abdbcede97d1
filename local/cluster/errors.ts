// What can go wrong with a local cluster, sorted by what the user can do about it.

export type LocalClusterErrorCode =
  | "UnsupportedPlatform"
  | "GoMissing"
  | "GoTooOld"
  | "BuildFailed"
  | "InvalidOptions"
  | "InUse"
  | "NotRunning"
  | "StartFailed"
  | "CommandFailed";

/** The message says what is wrong, where, and what to do; log tails are part of it. */
export class LocalClusterError extends Error {
  readonly code: LocalClusterErrorCode;

  constructor(code: LocalClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LocalClusterError";
    this.code = code;
  }
}
