// The OpenAI completion endpoints: what a request asks for, checked as vLLM checks it, and what comes back.
import { z } from "zod";

const textPart = z.looseObject({ type: z.string(), text: z.string().optional() });
const streamOptions = z
  .looseObject({ include_usage: z.boolean().optional(), continuous_usage_stats: z.boolean().optional() })
  .nullish();
const sampling = {
  model: z.string().nullish(),
  max_tokens: z.int().min(0).nullish(),
  max_completion_tokens: z.int().min(0).nullish(),
  min_tokens: z.int().min(0).nullish(),
  ignore_eos: z.boolean().nullish(),
  n: z.int().min(1).max(16_384).nullish(),
  stream: z.boolean().nullish(),
  stream_options: streamOptions,
};
const chatBody = z.looseObject({
  ...sampling,
  messages: z.array(
    z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(textPart)]).nullish() }),
  ),
});
const completionBody = z.looseObject({
  ...sampling,
  prompt: z.union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))]),
});

export type CompletionKind = "chat" | "text";

/** A request that can be generated. */
export interface Completion {
  readonly kind: CompletionKind;
  readonly model: string;
  readonly promptTokens: number;
  /** Tokens to generate for each choice. */
  readonly outputTokens: number;
  readonly finishReason: "stop" | "length";
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly maxTokens: number | undefined;
}

/** An error as the API answers it: `{"error": {message, type, param, code}}`. */
export class RequestError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  constructor(status: number, type: string, message: string, param: string | null = null) {
    super(message);
    this.name = "RequestError";
    this.status = status;
    this.type = type;
    this.param = param;
  }
  get body(): object {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.status } };
  }
}

export interface ServedModel {
  readonly names: readonly string[];
  readonly maxModelLen: number;
}

/**
 * Reads a request body.
 * @throws RequestError with vLLM's status and words
 */
export function readCompletion(kind: CompletionKind, body: unknown, served: ServedModel): Completion {
  const { request, promptTokens } = kind === "chat" ? readChat(body) : readText(body);
  const model = request.model ?? served.names[0] ?? "";
  if (!served.names.includes(model)) {
    throw new RequestError(
      404,
      "NotFoundError",
      `The model \`${model}\` does not exist. Valid aliases: ${served.names.join(", ")}.`,
      "model",
    );
  }
  const asked = request.max_completion_tokens ?? request.max_tokens ?? (kind === "text" ? 16 : undefined);
  const askedBy = typeof request.max_completion_tokens === "number" ? "max_completion_tokens" : "max_tokens";
  const { maxModelLen } = served;
  if (asked !== undefined && asked > maxModelLen) {
    throw new RequestError(
      400,
      "BadRequestError",
      `${askedBy}=${asked} cannot be greater than max_model_len=${maxModelLen}. Please request fewer output ` +
        `tokens. (parameter=${askedBy}, value=${asked})`,
      askedBy,
    );
  }
  if (promptTokens > maxModelLen) {
    throw new RequestError(
      400,
      "BadRequestError",
      `This model's maximum context length is ${maxModelLen} tokens. However, your prompt contains ` +
        `${promptTokens} input tokens, which exceeds this limit even without any output tokens. Please reduce ` +
        `the length of the input prompt. (parameter=input_tokens, value=${promptTokens})`,
      "input_tokens",
    );
  }
  // vLLM 0.32 shortens the answer to what is left of the context (get_max_tokens) and reports "length".
  const limit = Math.max(1, Math.min(asked ?? maxModelLen, maxModelLen - promptTokens));
  const natural = request.ignore_eos === true ? Infinity : Math.max(sentence.length, request.min_tokens ?? 0);
  return {
    kind,
    model,
    promptTokens,
    outputTokens: Math.min(natural, limit),
    finishReason: natural <= limit ? "stop" : "length",
    choices: request.n ?? 1,
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    maxTokens: asked,
  };
}

type Sampling = z.infer<z.ZodObject<typeof sampling>>;

function readChat(body: unknown): { readonly request: Sampling; readonly promptTokens: number } {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) throw invalidBody(parsed.error);
  return { request: parsed.data, promptTokens: countChat(parsed.data.messages) };
}

function readText(body: unknown): { readonly request: Sampling; readonly promptTokens: number } {
  const parsed = completionBody.safeParse(body);
  if (!parsed.success) throw invalidBody(parsed.error);
  return { request: parsed.data, promptTokens: countPrompt(parsed.data.prompt) };
}

function invalidBody({ issues }: z.ZodError): RequestError {
  const lines = issues.map(({ path, message }) => `  ${["body", ...path].join(".")}: ${message}`);
  const count = `${issues.length} validation error${issues.length === 1 ? "" : "s"}`;
  return new RequestError(400, "Bad Request", `${count}:\n${lines.join("\n")}`);
}

const sentence = [
  ..."This answer comes from a simulated engine that serves".split(" "),
  "{model}",
  ..."on simulated GPUs; its words are made up, its timing follows the weights and the load.".split(" "),
];

/** The token at a position of every answer: one word, the sentence over and over, naming the model. */
export function tokenText(model: string, position: number): string {
  const word = sentence[position % sentence.length] ?? "";
  return `${position === 0 ? "" : " "}${word === "{model}" ? model : word}`;
}

/** About four bytes a token, and what the chat template puts around each message. */
function countChat(messages: z.infer<typeof chatBody>["messages"]): number {
  const texts = messages.map(({ content }) =>
    typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join(""),
  );
  return texts.reduce((sum, text) => sum + countText(text) + 4, 5);
}

function countPrompt(prompt: z.infer<typeof completionBody>["prompt"]): number {
  if (typeof prompt === "string") return countText(prompt) + 1;
  return prompt
    .map((part) => (typeof part === "string" ? countText(part) : typeof part === "number" ? 1 : part.length))
    .reduce((sum, tokens) => sum + tokens, 0);
}

function countText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}
