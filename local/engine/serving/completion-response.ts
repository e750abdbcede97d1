// Writes the answer to a completion request: one JSON body, or server-sent events that end in `[DONE]`.
import type { ServerResponse } from "node:http";
import { type Completion, RequestError, tokenText } from "./completion.ts";
import type { Scheduler, SequenceFinish } from "./scheduler.ts";

const deadEngine = "EngineCore encountered an issue. See stack trace (above) for the root cause.";

export function engineDeadError(): RequestError {
  return new RequestError(500, "InternalServerError", deadEngine);
}

/**
 * Generates and writes one answer. Resolves when the response is ended or its client has gone away, which
 * aborts the generation.
 */
export async function answerCompletion(
  completion: Completion,
  requestId: string,
  createdAtSeconds: number,
  scheduler: Scheduler,
  response: ServerResponse,
  onFinish: (finish: SequenceFinish) => void,
): Promise<void> {
  const isChat = completion.kind === "chat";
  const id = `${isChat ? "chatcmpl" : "cmpl"}-${requestId}`;
  const head = (object: string): object => ({
    id,
    object,
    created: createdAtSeconds,
    model: completion.model,
  });
  const chunkObject = isChat ? "chat.completion.chunk" : "text_completion";
  const send = (data: object | string): void => {
    // Between the end of the connection and its event, a write would be an unhandled error.
    if (!response.destroyed)
      response.write(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
  };
  const sendChoice = (choice: object): void => send({ ...head(chunkObject), choices: [choice] });
  let streaming = false;
  const startStream = (): void => {
    if (streaming) return;
    streaming = true;
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    if (!isChat) return;
    for (let index = 0; index < completion.choices; index += 1) {
      sendChoice({ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null });
    }
  };

  const generate = (index: number): Promise<SequenceFinish & { readonly text: string }> =>
    new Promise((resolve) => {
      let text = "";
      const abort = scheduler.submit({
        promptTokens: completion.promptTokens,
        outputTokens: completion.outputTokens,
        finishReason: completion.finishReason,
        onToken: (position) => {
          const token = tokenText(completion.model, position);
          text += token;
          // The last token travels with the finish reason.
          if (!completion.stream || position === completion.outputTokens - 1) return;
          startStream();
          sendChoice(streamChoice(isChat, index, token, null));
        },
        onFinish: (finish) => {
          response.off("close", abort);
          onFinish(finish);
          if (completion.stream && finish.reason !== "error" && !response.destroyed) {
            startStream();
            const last =
              finish.reason === "abort" ? "" : tokenText(completion.model, finish.generatedTokens - 1);
            sendChoice(streamChoice(isChat, index, last, finish.reason));
          }
          resolve({ ...finish, text });
        },
      });
      response.once("close", abort);
    });
  const finishes = await Promise.all(
    Array.from({ length: completion.choices }, (_, index) => generate(index)),
  );
  if (response.destroyed) return;

  const generated = finishes.reduce((sum, finish) => sum + finish.generatedTokens, 0);
  const usage = {
    prompt_tokens: completion.promptTokens,
    total_tokens: completion.promptTokens + generated,
    completion_tokens: generated,
    prompt_tokens_details: null,
  };
  const failed = finishes.some((finish) => finish.reason === "error");
  if (completion.stream) {
    if (failed) {
      startStream();
      send(engineDeadError().body);
    } else if (completion.includeUsage) send({ ...head(chunkObject), choices: [], usage });
    send("[DONE]");
    response.end();
    return;
  }
  if (failed) throw engineDeadError();
  const choices = finishes.map(({ text, reason }, index) => ({
    index,
    ...(isChat ? { message: { role: "assistant", content: text, refusal: null, tool_calls: [] } } : { text }),
    logprobs: null,
    finish_reason: reason,
    stop_reason: null,
  }));
  const object = isChat ? "chat.completion" : "text_completion";
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ ...head(object), choices, system_fingerprint: null, usage }));
}

function streamChoice(isChat: boolean, index: number, text: string, finishReason: string | null): object {
  return {
    index,
    ...(isChat ? { delta: { content: text } } : { text }),
    logprobs: null,
    finish_reason: finishReason,
    ...(finishReason === null ? {} : { stop_reason: null }),
  };
}
