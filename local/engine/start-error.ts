// Why an engine did not come up, as the lines that vLLM leaves on stderr before it exits with code 1.

export class EngineStartError extends Error {
  /** The tail of stderr: what a kubelet keeps as the container's termination message. */
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "EngineStartError";
    this.lines = lines;
  }
}

/** A check of vLLM's configuration classes, which pydantic wraps. */
export function validationError(configClass: string, message: string): EngineStartError {
  return new EngineStartError([
    "Traceback (most recent call last):",
    `pydantic_core._pydantic_core.ValidationError: 1 validation error for ${configClass}`,
    `  Value error, ${message} [type=value_error, input_value=ArgsKwargs(()), input_type=ArgsKwargs]`,
    "    For further information visit https://errors.pydantic.dev/2.13/v/value_error",
  ]);
}

/** A failure inside the engine process: the cause first, the API server's summary last. */
export function engineCoreError(message: string): EngineStartError {
  return new EngineStartError([
    "(EngineCore pid=116) ERROR [core.py:1498] EngineCore failed to start.",
    "(EngineCore pid=116) ERROR [core.py:1498] Traceback (most recent call last):",
    ...message.split("\n").map((line) => `(EngineCore pid=116) ERROR [core.py:1498] ${line}`),
    "(APIServer pid=1) RuntimeError: Engine core initialization failed. " +
      "See root cause above. Failed core proc(s): {'EngineCore': 1}",
  ]);
}

/** What transformers and huggingface_hub say when a licence was not accepted or no token was given. */
export function gatedRepositoryError(repository: string): EngineStartError {
  const page = `https://huggingface.co/${repository}`;
  return new EngineStartError([
    "Traceback (most recent call last):",
    "OSError: You are trying to access a gated repo.",
    `Make sure to have access to it at ${page}.`,
    "401 Client Error. (Request ID: Root=1-00000000-000000000000000000000000)",
    "",
    `Cannot access gated repo for url ${page}/resolve/main/config.json.`,
    `Access to model ${repository} is restricted. ` +
      "You must have access to it and be authenticated to access it. Please log in.",
  ]);
}

export function unknownRepositoryError(repository: string): EngineStartError {
  return new EngineStartError([
    "Traceback (most recent call last):",
    `OSError: ${repository} is not a local folder and is not a valid model identifier listed on ` +
      "'https://huggingface.co/models'",
    "If this is a private repository, make sure to pass a token having permission to this repo either by " +
      "logging in with `hf auth login` or by passing `token=<your_token>`",
  ]);
}
