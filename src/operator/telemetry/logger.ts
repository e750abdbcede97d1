// The logger of the process: pino, one JSON object a line, for machines that collect and people with jq. Whatever
// could be a secret is cut out here, once, so that no caller has to remember.
import { pino, type DestinationStream, type Logger as Pino } from "pino";
import type { LogFields, Logger } from "@llama-operator/kube-runtime";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Default: standard error, so that a command's output stays clean. */
  readonly destination?: DestinationStream;
}

const secretNames = ["authorization", "token", "password", "secret", "clientKeyData", "key", "stringData"];

export function createLogger(options: LoggerOptions): Logger {
  const { level, destination = pino.destination({ dest: 2, sync: true }) } = options;
  return new PinoLogger(
    pino(
      {
        level,
        base: null,
        messageKey: "message",
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: describeError },
        redact: {
          paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
          censor: "[redacted]",
        },
      },
      destination,
    ),
  );
}

class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(logger: Pino) {
    this.#pino = logger;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#pino.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(fields));
  }
}

/** An error as data: its kind, its words, its causes; the stack only of what has no code. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
  return {
    name,
    message: maskTokens(message),
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined || reason === "" ? {} : { reason }),
    ...(code !== undefined ? {} : { stack: maskTokens(stack ?? "") }),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/** Hugging Face tokens, bearer tokens and JWTs, wherever they turn up in a text. */
const tokenForms = /\bhf_[A-Za-z0-9]{8,}|\bBearer\s+\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

function maskTokens(text: string): string {
  return text.replace(tokenForms, "[redacted]");
}
