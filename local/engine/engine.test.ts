import { readFileSync } from "node:fs";
import { request } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startEngine } from "./engine.ts";
import type { EngineFaults } from "./faults.ts";
import { gpuOfNode } from "./memory/gpu.ts";
import type { SimulatedProcess } from "./process.ts";
import { realClock } from "./clock.ts";
import { Rendezvous } from "./rendezvous.ts";

// Real time and real sockets: a busy machine makes them slow, not wrong.
vi.setConfig({ testTimeout: 30_000 });

const llama8b = "meta-llama/Llama-3.1-8B-Instruct";
const llama405b = "meta-llama/Llama-3.1-405B-Instruct";
const running: SimulatedProcess[] = [];
let nextAddress = 1;

afterEach(async () => {
  for (const process of running) process.kill();
  await Promise.all(running.splice(0).map((process) => process.exited));
});

interface Started {
  readonly process: SimulatedProcess;
  readonly log: string[];
  readonly address: string;
  readonly base: string;
}

interface Options {
  readonly faults?: EngineFaults;
  readonly speedup?: number;
  readonly generationSpeedup?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly rendezvous?: Rendezvous;
  readonly names?: Readonly<Record<string, string>>;
}

function start(line: string, options: Options = {}): Started {
  const log: string[] = [];
  const address = options.address ?? `127.77.${process.pid % 250}.${nextAddress++}`;
  const engine = startEngine(line.split(" "), {
    address,
    env: { HF_TOKEN: "hf_test", ...options.env },
    gpu: gpuOfNode({ "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3" }),
    gpuCount: 8,
    modelHint: undefined,
    faults: options.faults ?? {},
    loadBytesPerSecond: 3.5e9,
    speedup: options.speedup ?? 1000,
    generationSpeedup: options.generationSpeedup ?? 1000,
    graceSpeedup: 1,
    clock: realClock,
    unixSeconds: () => 1_700_000_000,
    newId: () => `id-${nextAddress++}`,
    resolve: (name) => options.names?.[name],
    rendezvous: options.rendezvous ?? new Rendezvous(),
    log: (text) => log.push(text),
  });
  running.push(engine);
  return { process: engine, log, address, base: `http://${address}:8000` };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("waited 20 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const isHealthy = (base: string): Promise<boolean> =>
  fetch(`${base}/health`).then(
    (response) => response.status === 200,
    () => false,
  );
const healthy = (base: string): Promise<void> => until(() => isHealthy(base));

function chat(base: string, body: object): Promise<Response> {
  return fetch(`${base}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello there" }], ...body }),
  });
}

async function events(response: Response): Promise<readonly (Record<string, unknown> | "[DONE]")[]> {
  return (await response.text())
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice("data: ".length))
    .map((data) => (data === "[DONE]" ? data : (JSON.parse(data) as Record<string, unknown>)));
}

function metric(text: string, name: string): number {
  const line = text
    .split("\n")
    .find((candidate) => candidate.startsWith(name) && /[{ ]/.test(candidate[name.length] ?? ""));
  return Number(line?.split(" ").at(-1));
}

describe("an engine that comes up", () => {
  test("refuses connections while it loads, then answers, and says in its log what it found", async () => {
    const { base, log } = start(llama8b, { speedup: 100 });
    await expect(fetch(`${base}/health`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await healthy(base);
    expect(log.join("\n")).toMatch(
      /Starting to load model meta-llama\/Llama-3.1-8B-Instruct[^]*Model loading took 14.96 GiB memory[^]*Available KV cache memory: 56.23 GiB[^]*GPU KV cache size: 460,672 tokens, Maximum concurrency for 131,072 tokens per request: 3.51x/,
    );
    expect(await (await fetch(`${base}/version`)).json()).toEqual({ version: "0.32.0" });
  });

  test("takes longer the more bytes its node loads", async () => {
    const loadSeconds = async (line: string): Promise<number> => {
      const { base, log } = start(line);
      await healthy(base);
      return Number(/and ([\d.]+) seconds/.exec(log.join("\n"))?.[1]);
    };
    expect(await loadSeconds(llama8b)).toBeCloseTo(16.06 / 3.5, 1);
    expect(await loadSeconds("RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic -tp 8")).toBeCloseTo(
      410.1 / 3.5,
      0,
    );
  });

  test("lists the names it serves and the context it found room for", async () => {
    const { base } = start(`${llama8b} --served-model-name llama-8b alias --max-model-len 32k`);
    await healthy(base);
    expect(await (await fetch(`${base}/v1/models`)).json()).toMatchObject({
      object: "list",
      data: [
        { id: "llama-8b", root: llama8b, owned_by: "vllm", max_model_len: 32_000 },
        { id: "alias", root: llama8b },
      ],
    });
  });

  test("exits with code 2 and argparse's words, or 1 and vLLM's, and never listens", async () => {
    const unknown = start(`${llama8b} --foo`);
    expect(await unknown.process.exited).toEqual({ exitCode: 2, oomKilled: false });
    expect(unknown.log.at(-1)).toBe("vllm: error: unrecognized arguments: --foo");
    const undividable = start(`${llama8b} -tp 3`);
    expect(await undividable.process.exited).toEqual({ exitCode: 1, oomKilled: false });
    expect(undividable.log.join("\n")).toContain("must be divisible by tensor parallel size (3)");
    await expect(fetch(`${unknown.base}/health`)).rejects.toThrow("fetch failed");
  });

  test("guards /v1, and only that, with --api-key", async () => {
    const { base } = start(`${llama8b} --api-key secret`);
    await healthy(base);
    const models = await fetch(`${base}/v1/models`);
    expect([models.status, await models.json()]).toEqual([401, { error: "Unauthorized" }]);
    const withKey = await fetch(`${base}/v1/models`, { headers: { authorization: "Bearer secret" } });
    expect(withKey.status).toBe(200);
  });
});

describe("completions", () => {
  test("answer in one body that names the model and counts tokens", async () => {
    const { base } = start(`${llama8b} --served-model-name llama-8b`);
    await healthy(base);
    const response = await chat(base, { model: "llama-8b", max_tokens: 200 });
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      object: "chat.completion",
      model: "llama-8b",
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          message: {
            role: "assistant",
            content: expect.stringContaining("serves llama-8b on simulated GPUs"),
          },
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 26, total_tokens: 38 },
    });
    expect(body["id"]).toMatch(/^chatcmpl-/);
  });

  test("stream role, words, finish reason, usage and [DONE]", async () => {
    const { base } = start(`${llama8b} --served-model-name llama-8b`);
    await healthy(base);
    const response = await chat(base, {
      max_tokens: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const received = await events(response);
    const deltas = received.flatMap((event) => (event === "[DONE]" ? [] : (event["choices"] as object[])));
    expect(deltas).toMatchObject([
      { delta: { role: "assistant", content: "" }, finish_reason: null },
      { delta: { content: "This" }, finish_reason: null },
      { delta: { content: " answer" }, finish_reason: null },
      { delta: { content: " comes" }, finish_reason: "length" },
    ]);
    expect(received.at(-2)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 12, completion_tokens: 3 },
    });
    expect(received.at(-1)).toBe("[DONE]");
  });

  test("serve plain prompts too", async () => {
    const { base } = start(llama8b);
    await healthy(base);
    const response = await fetch(`${base}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ model: llama8b, prompt: "Once upon", max_tokens: 2, n: 2 }),
    });
    expect(await response.json()).toMatchObject({
      object: "text_completion",
      choices: [
        { index: 0, text: "This answer", finish_reason: "length" },
        { index: 1, text: "This answer", finish_reason: "length" },
      ],
    });
  });

  test.each([
    [
      "an unknown model",
      { model: "gpt-4" },
      404,
      "NotFoundError",
      "The model `gpt-4` does not exist. Valid aliases: llama.",
    ],
    [
      "more output than the context",
      { max_tokens: 1025 },
      400,
      "BadRequestError",
      "max_tokens=1025 cannot be greater than max_model_len=1024. Please request fewer output tokens. (parameter=max_tokens, value=1025)",
    ],
    [
      "a prompt beyond the context",
      { messages: [{ role: "user", content: "x".repeat(8000) }] },
      400,
      "BadRequestError",
      "This model's maximum context length is 1024 tokens. However, your prompt contains 2009 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=2009)",
    ],
    [
      "no messages",
      { messages: undefined },
      400,
      "Bad Request",
      "1 validation error:\n  body.messages: Invalid input: expected array, received undefined",
    ],
  ])("refuse %s in vLLM's words", async (_, body, status, type, message) => {
    const { base } = start(`${llama8b} --served-model-name llama --max-model-len 1024`);
    await healthy(base);
    const response = await chat(base, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type, message, code: status } });
  });

  test("shorten an answer to what is left of the context, as vLLM 0.32 does", async () => {
    const { base } = start(`${llama8b} --max-model-len 64`);
    await healthy(base);
    const response = await chat(base, { max_tokens: 60, ignore_eos: true });
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: "length" }],
      usage: { prompt_tokens: 12, completion_tokens: 52 },
    });
  });

  test("wait for a seat when --max-num-seqs are running, and show it in the metrics", async () => {
    const { base } = start(`${llama8b} --max-num-seqs 2`, { generationSpeedup: 20 });
    await healthy(base);
    const answers = Array.from({ length: 5 }, () => chat(base, { max_tokens: 400, ignore_eos: true }));
    let text = "";
    await until(async () => {
      text = await (await fetch(`${base}/metrics`)).text();
      return (
        metric(text, "vllm:num_requests_running") === 2 && metric(text, "vllm:num_requests_waiting") === 3
      );
    });
    expect(metric(text, "vllm:kv_cache_usage_perc")).toBeGreaterThan(0);
    for (const answer of answers) await (await answer).text();
    text = await (await fetch(`${base}/metrics`)).text();
    expect(metric(text, "vllm:num_requests_running")).toBe(0);
    expect(metric(text, "vllm:generation_tokens_total")).toBe(2000);
    expect(text).toMatch(/vllm:request_success_total\{[^}]*finished_reason="length"[^}]*\} 5/);
    expect(metric(text, "vllm:time_to_first_token_seconds_count")).toBe(5);
  });

  test("are turned away with 503 above --max-num-queued-reqs", async () => {
    const { base } = start(`${llama8b} --max-num-queued-reqs 1`, { generationSpeedup: 20 });
    await healthy(base);
    const first = chat(base, { max_tokens: 400, ignore_eos: true });
    await until(
      async () => metric(await (await fetch(`${base}/metrics`)).text(), "vllm:num_requests_running") === 1,
    );
    const second = await chat(base, {});
    expect(second.status).toBe(503);
    expect(await second.json()).toMatchObject({
      error: { message: expect.stringMatching(/^The engine is currently busy/) },
    });
    await (await first).text();
  });

  test("are aborted when their client goes away", async () => {
    const { base } = start(llama8b, { generationSpeedup: 20 });
    await healthy(base);
    await readAndLeave(`${base}/v1/chat/completions`, {
      messages: [{ role: "user", content: "Hello" }],
      max_tokens: 5000,
      ignore_eos: true,
      stream: true,
    });
    await until(async () => {
      const text = await (await fetch(`${base}/metrics`)).text();
      return /vllm:request_success_total\{[^}]*finished_reason="abort"[^}]*\} 1/.test(text);
    });
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(metric(text, "vllm:num_requests_running")).toBe(0);
  });
});

describe("metrics", () => {
  test("have exactly the names and labels of vLLM 0.32", async () => {
    const { base } = start(`${llama8b} --served-model-name tiny-llama`);
    await healthy(base);
    const text = await (await fetch(`${base}/metrics`)).text();
    const ours = seriesOf(
      text.split("\n").filter((line) => !line.startsWith("#") && !/_bucket\{/.test(line)),
    );
    const real = seriesOf(
      readFileSync(new URL("./serving/vllm-0.32.0-metrics.txt", import.meta.url), "utf8").split("\n"),
    );
    expect(ours).toEqual(real);
  });

  test("tell the KV cache that the engine found", async () => {
    const { base } = start(
      `RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic -tp 2 --max-num-seqs 256 --max-num-batched-tokens 8192`,
    );
    await healthy(base);
    const text = await (await fetch(`${base}/metrics`)).text();
    const info = text.split("\n").find((line) => line.startsWith("vllm:cache_config_info{"));
    expect(info).toContain('kv_cache_size_tokens="238720"');
    expect(info).toContain('kv_cache_max_concurrency="1.8212890625"');
    expect(info).toContain('block_size="16"');
    expect(info).toContain('gpu_memory_utilization="0.92"');
  });
});

/** Names with labels, sorted; the labels of cache_config_info by name only, as their values are the cache's own. */
function seriesOf(lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => line.startsWith("vllm:"))
    .map((line) => {
      const [, name = "", labels = ""] = /^([^{]+)\{(.*)\}/.exec(line) ?? [];
      const pairs: readonly string[] = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([pair, key]) =>
        name === "vllm:cache_config_info" ? (key ?? "") : pair,
      );
      return `${name} ${pairs.toSorted((a, b) => a.localeCompare(b)).join(" ")}`;
    })
    .toSorted((a, b) => a.localeCompare(b));
}

describe("the end of an engine", () => {
  const long = { max_tokens: 300, ignore_eos: true, stream: true };

  test("finishes what it is answering within --shutdown-timeout, and then exits with 0", async () => {
    const { base, process } = start(`${llama8b} --shutdown-timeout 30`, { generationSpeedup: 20 });
    await healthy(base);
    const answer = await chat(base, long);
    process.terminate();
    const received = await events(answer);
    expect(received.at(-1)).toBe("[DONE]");
    expect(received.at(-2)).toMatchObject({ choices: [{ finish_reason: "length" }] });
    expect(await process.exited).toEqual({ exitCode: 0, oomKilled: false });
    expect(await isHealthy(base)).toBe(false);
  });

  test("aborts what arrives while it drains", async () => {
    const { base, process } = start(`${llama8b} --shutdown-timeout 30`, { generationSpeedup: 20 });
    await healthy(base);
    const answer = await chat(base, long);
    process.terminate();
    const late = await chat(base, { max_tokens: 5 });
    expect(await late.json()).toMatchObject({
      choices: [{ finish_reason: "abort" }],
      usage: { completion_tokens: 0 },
    });
    await answer.text();
  });

  test("aborts what it is answering at once when the timeout is 0", async () => {
    const { base, process } = start(llama8b, { generationSpeedup: 20 });
    await healthy(base);
    const answer = await chat(base, { ...long, max_tokens: 50_000 });
    process.terminate();
    const received = await events(answer);
    expect(received.at(-2)).toMatchObject({ choices: [{ finish_reason: "abort" }] });
    expect(await process.exited).toEqual({ exitCode: 0, oomKilled: false });
  });

  test("leaves no answer behind when it is killed", async () => {
    const { base, process } = start(`${llama8b} --shutdown-timeout 30`, { generationSpeedup: 20 });
    await healthy(base);
    const answer = await chat(base, long);
    process.kill();
    await expect(answer.text()).rejects.toThrow("terminated");
    expect(await process.exited).toEqual({ exitCode: 137, oomKilled: false });
    await expect(fetch(`${base}/health`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  });

  test("is interrupted with 130 while it still loads", async () => {
    const { process } = start(llama8b, { speedup: 1 });
    process.terminate();
    expect(await process.exited).toEqual({ exitCode: 130, oomKilled: false });
  });
});

describe("faults", () => {
  test("crash: health turns 503, requests fail, and the process exits with 1", async () => {
    const { base, process, log } = start(llama8b, { faults: { crashAfterSeconds: 0.2 }, speedup: 30 });
    await healthy(base);
    await until(async () => (await fetch(`${base}/health`)).status === 503);
    expect(await process.exited).toEqual({ exitCode: 1, oomKilled: false });
    expect(log.join("\n")).toContain("EngineCore encountered a fatal error.");
  });

  test("a request that meets the dead engine gets 500 and ends the wait", async () => {
    const { base, process } = start(llama8b, { faults: { crashAfterSeconds: 0.1 }, speedup: 20 });
    await healthy(base);
    await until(async () => (await fetch(`${base}/health`)).status === 503);
    const response = await chat(base, {});
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      error: { message: "EngineCore encountered an issue. See stack trace (above) for the root cause." },
    });
    expect((await process.exited).exitCode).toBe(1);
  });

  test("out of memory: killed with 137 while loading", async () => {
    const { process } = start(llama8b, { faults: { outOfMemory: true } });
    expect(await process.exited).toEqual({ exitCode: 137, oomKilled: true });
  });

  test("exit code: ends with it at once", async () => {
    const { process } = start(llama8b, { faults: { exitCode: 42 } });
    expect(await process.exited).toEqual({ exitCode: 42, oomKilled: false });
  });

  test("hang: listens, and answers nothing", async () => {
    const { base, log } = start(llama8b, { faults: { hang: true } });
    await until(() => log.some((line) => line.includes("Starting vLLM server")));
    await expect(fetch(`${base}/health`, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/i);
  });

  test("load factor: loads that much slower", async () => {
    const { base, log } = start(llama8b, { faults: { loadFactor: 10 } });
    await healthy(base);
    expect(log.join("\n")).toMatch(/and 45\.\d+ seconds/);
  });
});

describe("a replica over two nodes", () => {
  const ranks = (rendezvous: Rendezvous, leaderName: string): ((rank: number) => Started) => {
    const leader = `127.78.${process.pid % 250}.${nextAddress++}`;
    return (rank) =>
      start(
        `${llama405b} -tp 8 -pp 2 --nnodes 2 --node-rank ${rank} --master-addr ${leaderName}${rank === 0 ? "" : " --headless"}`,
        { rendezvous, names: { [leaderName]: leader }, ...(rank === 0 ? { address: leader } : {}) },
      );
  };

  test("loads only when all its ranks are there; headless ranks serve nothing", async () => {
    const rank = ranks(new Rendezvous(), "group-0.group");
    const leader = rank(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(leader.log.join("\n")).not.toContain("Starting to load model");
    const worker = rank(1);
    await healthy(leader.base);
    expect(worker.log.join("\n")).toContain("Model loading took 47.25 GiB memory");
    expect(await isHealthy(worker.base)).toBe(false);
  });

  test("dies as a whole when one rank dies", async () => {
    const rank = ranks(new Rendezvous(), "group-1.group");
    const [leader, worker] = [rank(0), rank(1)];
    await healthy(leader.base);
    worker.process.kill();
    expect((await leader.process.exited).exitCode).toBe(1);
    const [nextLeader, nextWorker] = [rank(0), rank(1)];
    await healthy(nextLeader.base);
    nextLeader.process.kill();
    expect((await nextWorker.process.exited).exitCode).toBe(1);
  });

  test("ends a headless rank at once on SIGTERM, whatever --shutdown-timeout says", async () => {
    const rank = ranks(new Rendezvous(), "group-2.group");
    const worker = rank(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    worker.process.terminate();
    expect(await worker.process.exited).toEqual({ exitCode: 0, oomKilled: false });
  });

  test("waits for a leader whose name does not resolve yet", async () => {
    const { log, process } = start(
      `${llama405b} -tp 8 -pp 2 --nnodes 2 --node-rank 1 --headless --master-addr nowhere`,
    );
    await until(() => log.some((line) => line.includes("tcp://nowhere:29501")));
    process.kill();
    expect((await process.exited).exitCode).toBe(137);
  });
});

/** Reads the head of a streamed answer and leaves. */
function readAndLeave(url: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST" }, (response) => {
      response.once("data", () => {
        outgoing.destroy();
        resolve();
      });
    });
    outgoing.once("error", reject);
    outgoing.end(JSON.stringify(body));
  });
}
