// A chat with a model at the address in its status, as an application inside the cluster would have it: through the
// Service's name. The local proxy stands for the cluster's DNS and kube-proxy.
import { ProxyAgent, request } from "undici";
import { DemoError } from "./wait.ts";

export interface ChatOptions {
  /** `http://127.3.255.254:26080`: the proxy of the cluster. */
  readonly proxyUrl: string;
  /** `status.endpoint`: `http://llama-8b.default.svc/v1`. */
  readonly endpoint: string;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly signal: AbortSignal;
  /** Each piece as it comes. */
  readonly onText: (text: string) => void;
}

export interface ChatResult {
  readonly model: string;
  readonly tokens: number;
  /** From the request to the first token. */
  readonly timeToFirstTokenSeconds: number;
  /** Output tokens a second after the first. */
  readonly tokensPerSecond: number;
}

/** Streams one chat completion. @throws DemoError when the endpoint refuses or its stream ends early. */
export async function chat(options: ChatOptions): Promise<ChatResult> {
  const dispatcher = new ProxyAgent({ uri: options.proxyUrl, proxyTunnel: false });
  try {
    return await streamChat(options, dispatcher);
  } finally {
    await dispatcher.destroy();
  }
}

async function streamChat(options: ChatOptions, dispatcher: ProxyAgent): Promise<ChatResult> {
  const { endpoint, signal } = options;
  const models = await request(`${endpoint}/models`, { dispatcher, signal });
  const listed = (await readJson(models, `${endpoint}/models`)) as { data?: { id: string }[] };
  const model = listed.data?.[0]?.id;
  if (model === undefined) throw new DemoError(`${endpoint}/models lists no model`);

  const url = `${endpoint}/chat/completions`;
  const sentMs = performance.now();
  const response = await request(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: options.maxTokens,
      messages: [{ role: "user", content: options.prompt }],
    }),
    dispatcher,
    signal,
  });
  if (response.statusCode !== 200) await readJson(response, url);
  let firstMs: number | undefined;
  let tokens = 0;
  for await (const event of serverSentEvents(response.body)) {
    if (event === "[DONE]") {
      const endMs = performance.now();
      const decodingSeconds = (endMs - (firstMs ?? endMs)) / 1000;
      return {
        model,
        tokens,
        timeToFirstTokenSeconds: ((firstMs ?? endMs) - sentMs) / 1000,
        tokensPerSecond: decodingSeconds === 0 ? 0 : Math.max(0, tokens - 1) / decodingSeconds,
      };
    }
    const chunk = JSON.parse(event) as Chunk;
    const text = chunk.choices?.[0]?.delta?.content ?? "";
    if (text !== "") {
      firstMs ??= performance.now();
      options.onText(text);
    }
    tokens = chunk.usage?.completion_tokens ?? tokens;
  }
  throw new DemoError(`${url}: the stream ended without [DONE]`);
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly usage?: { readonly completion_tokens: number } | null;
}

/** The data of each event of a `text/event-stream`. */
export async function* serverSentEvents(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice("data:".length).trimStart());
      if (data.length > 0) yield data.join("\n");
    }
  }
}

async function readJson(response: Awaited<ReturnType<typeof request>>, url: string): Promise<unknown> {
  const body = await response.body.text();
  if (response.statusCode !== 200)
    throw new DemoError(`${url}: ${response.statusCode} ${body.slice(0, 300)}`);
  return JSON.parse(body);
}
