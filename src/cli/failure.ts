// Turns whatever a command threw into one clear sentence and an exit code. A stack trace helps no one who typed a
// wrong flag: it is shown with --debug only.
import { CommanderError } from "commander";
import { InspectionError } from "./inspection/errors.ts";
import {
  ApiError,
  ConfigError,
  ConnectionError,
  isForbidden,
  isUnauthorized,
} from "@llama-operator/kube-runtime/client";
import { ServerVersionError } from "@llama-operator/kube-runtime/process";
import { exitCodes } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { InterruptedError } from "./terminal.ts";

/** A failure that a command foresaw: the message says what, where and what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: ExitCode;

  constructor(message: string, options: { readonly code?: ExitCode; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = options.code ?? exitCodes.error;
  }
}

export interface Failure {
  readonly code: ExitCode;
  /** Empty where everything has been said. */
  readonly message: string;
}

/** What to tell, and with which code to end. */
export function explainFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { code: error.code, message: error.message };
  // Commander has printed its own message, help or version.
  if (error instanceof CommanderError) {
    return { code: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, message: "" };
  }
  if (error instanceof InterruptedError) {
    return {
      code: error.code === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated,
      message: error.message,
    };
  }
  if (error instanceof InspectionError) {
    return { code: error.code === "target" ? exitCodes.usage : exitCodes.error, message: error.message };
  }
  if (error instanceof ConfigError || error instanceof ServerVersionError) {
    return { code: exitCodes.cluster, message: withCause(error) };
  }
  if (error instanceof ConnectionError) {
    return {
      code: exitCodes.cluster,
      message: `cannot reach the API server: ${error.message}; is the kubeconfig's cluster running?`,
    };
  }
  if (isUnauthorized(error) || isForbidden(error)) {
    return {
      code: exitCodes.cluster,
      message: `the API server does not allow it: ${error.message}; check the kubeconfig's user and its roles`,
    };
  }
  if (error instanceof ApiError) return { code: exitCodes.error, message: error.message };
  const message = error instanceof Error ? withCause(error) : String(error);
  return { code: exitCodes.error, message: `${message} (--debug shows where)` };
}

function withCause(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
