import { describe, expect, test } from "vitest";
import { engineFor } from "@llama-operator/llama/engines";
import { silentLogger } from "@llama-operator/kube-runtime";
import type { TextResponse, TextRequest } from "@llama-operator/kube-runtime/http";
import { FakeClock } from "@llama-operator/kube-runtime/testing";
import { EngineMetrics } from "./engine-metrics.ts";
import type { EngineTarget } from "./engine-target.ts";
import type { LoadSample } from "./load-subscription.ts";

const engine = engineFor("vllm");

function target(name: string, address = name): EngineTarget {
  return { pod: name, address, engine };
}

interface Load {
  readonly running?: number;
  readonly tokens?: number;
}

function pageOf({ running = 0, tokens = 0 }: Load): TextResponse {
  const text = [
    `vllm:num_requests_running{engine="0"} ${running}`,
    'vllm:num_requests_waiting{engine="0"} 1',
    'vllm:kv_cache_usage_perc{engine="0"} 0.5',
    `vllm:prompt_tokens_total{engine="0"} ${10 * tokens}`,
    `vllm:generation_tokens_total{engine="0"} ${tokens}`,
    'vllm:cache_config_info{kv_cache_size_tokens="440000"} 1',
  ].join("\n");
  return { status: 200, text };
}

/** Engines by address, each answering as it is told to; one without an answer hangs until the time-out. */
class Engines {
  readonly clock = new FakeClock();
  readonly asked: { readonly address: string; readonly atMs: number }[] = [];
  readonly answers = new Map<string, () => TextResponse | Promise<TextResponse>>();
  readonly metrics = new EngineMetrics({
    clock: this.clock,
    random: () => 0,
    logger: silentLogger,
    fetchText: async (request) => this.#fetchText(request),
  });

  /** Seconds at which an address was asked. */
  times(address: string): readonly number[] {
    return this.asked.filter((each) => each.address === address).map(({ atMs }) => atMs / 1000);
  }

  async #fetchText({ address, timeoutMs, signal }: TextRequest): Promise<TextResponse> {
    this.asked.push({ address, atMs: this.clock.monotonic() });
    const answer = this.answers.get(address);
    if (answer !== undefined) return answer();
    await this.clock.sleep(timeoutMs, signal);
    throw new Error(`no page in ${timeoutMs} ms`);
  }
}

function setUp(loads: Readonly<Record<string, Load>> = {}) {
  const engines = new Engines();
  for (const [address, load] of Object.entries(loads)) engines.answers.set(address, () => pageOf(load));
  return { engines, clock: engines.clock, metrics: engines.metrics };
}

const never = new AbortController().signal;

test("nothing is asked and no timer runs while nobody wants anything", async () => {
  const { engines, clock } = setUp({ a: {} });
  await clock.advance(3_600_000);
  expect(engines.asked).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

describe("a reader of one page", () => {
  test("gets what the engine's own reader makes of it", async () => {
    const { metrics } = setUp({ a: { running: 3 } });
    const { page } = await metrics.read(target("a"), never);
    expect(engine.load(page).running).toBe(3);
    expect(engine.kvCacheReport(page)).toEqual({ tokens: 440_000 });
  });

  test("shares a page that somebody else waits for, and is on its own afterwards", async () => {
    const { engines, metrics } = setUp({ a: {} });
    await Promise.all([metrics.read(target("a"), never), metrics.read(target("a"), never)]);
    expect(engines.asked).toHaveLength(1);
    await metrics.read(target("a"), never);
    expect(engines.asked).toHaveLength(2);
  });

  test("shares no page with another pod of the same address", async () => {
    const { engines, metrics } = setUp({ "10.0.0.1": {} });
    await Promise.all([
      metrics.read(target("gone", "10.0.0.1"), never),
      metrics.read(target("come", "10.0.0.1"), never),
    ]);
    expect(engines.asked).toHaveLength(2);
  });

  test("that gives up leaves the page to the others", async () => {
    const { clock, metrics } = setUp();
    const giveUp = new AbortController();
    const impatient = metrics.read(target("a"), giveUp.signal);
    const patient = metrics.read(target("a"), never);
    giveUp.abort(new Error("given up"));
    await expect(impatient).rejects.toThrow("given up");
    const failed = patient.catch(String);
    await clock.advance(3000);
    expect(await failed).toBe("Error: no page in 3000 ms");
  });

  test("the last one to give up ends the request", async () => {
    const { engines, clock, metrics } = setUp();
    const giveUp = new AbortController();
    const reading = metrics.read(target("a"), giveUp.signal);
    await clock.advance(0);
    giveUp.abort(new Error("given up"));
    await expect(reading).rejects.toThrow("given up");
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
    // And a new one asks anew.
    engines.answers.set("a", () => pageOf({}));
    await metrics.read(target("a"), never);
    expect(engines.asked).toHaveLength(2);
  });

  test.each([
    [302, true],
    [401, true],
    [404, true],
    [503, false],
  ])("is refused by an answer of %i; final: %s", async (status, isFinal) => {
    const { engines, metrics } = setUp();
    engines.answers.set("a", () => ({ status, text: "" }));
    await expect(metrics.read(target("a"), never)).rejects.toMatchObject({ name: "MetricsRefused", isFinal });
  });
});

describe("a subscriber of loads", () => {
  test("gets each pod's load every period, and tokens as rates from the second page on", async () => {
    const { engines, clock, metrics } = setUp({ b: { running: 2 } });
    let tokens = 100;
    engines.answers.set("a", () => pageOf({ running: 1, tokens: (tokens += 50) }));
    const samples: LoadSample[] = [];
    const subscription = metrics.subscribe({
      periodSeconds: 5,
      targets: () => [target("a"), target("b")],
      onSample: (sample) => samples.push(sample),
    });
    await clock.advance(12_000);
    expect(engines.times("a")).toEqual([0, 5, 10]);
    expect(engines.times("b")).toEqual([0, 5, 10]);
    expect(samples.filter(({ target: { pod } }) => pod === "a")).toMatchObject([
      { atMs: 0, load: { running: 1, waiting: 1, kvCacheUsage: 0.5, generationTokens: 150 } },
      { atMs: 5000, rates: { promptTokensPerSecond: 100, generationTokensPerSecond: 10 } },
      { atMs: 10_000, rates: { promptTokensPerSecond: 100, generationTokensPerSecond: 10 } },
    ]);
    expect(samples[0]).not.toHaveProperty("rates");
    expect([...subscription.samples].map(([pod, { load }]) => [pod, load.running])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    await subscription.end();
  });

  test("has no rates across a restart of the engine, whose counters begin anew", async () => {
    const { engines, clock, metrics } = setUp();
    const counters = [500, 600, 20, 40];
    engines.answers.set("a", () => pageOf({ tokens: counters.shift() ?? 40 }));
    const rates: (number | undefined)[] = [];
    const subscription = metrics.subscribe({
      periodSeconds: 2,
      targets: () => [target("a")],
      onSample: (sample) => rates.push(sample.rates?.generationTokensPerSecond),
    });
    await clock.advance(6000);
    expect(rates).toEqual([undefined, 50, undefined, 10]);
    await subscription.end();
  });

  test("is not held up by a pod that hangs, which is asked less and less often", async () => {
    const { engines, clock, metrics } = setUp({ well: {} });
    const subscription = metrics.subscribe({
      periodSeconds: 2,
      targets: () => [target("hangs"), target("well")],
    });
    await clock.advance(120_000);
    expect(engines.times("well")).toHaveLength(61);
    // It fails 3 s after each try, and waits 2, 4, 8, … and at most 60 s then, until the next round.
    expect(engines.times("hangs")).toEqual([0, 6, 14, 26, 46, 82]);
    expect([...subscription.samples.keys()]).toEqual(["well"]);
    await subscription.end();
  });

  test("gets the load of a pod that has failed as soon as it answers again", async () => {
    const { engines, clock, metrics } = setUp();
    engines.answers.set("a", () => ({ status: 503, text: "" }));
    const subscription = metrics.subscribe({ periodSeconds: 2, targets: () => [target("a")] });
    await clock.advance(1000);
    engines.answers.set("a", () => pageOf({ running: 4 }));
    await clock.advance(6000);
    // After the failure at 0 s it is asked again after one period, and then each period.
    expect(engines.times("a")).toEqual([0, 2, 4, 6]);
    expect(subscription.samples.get("a")?.load.running).toBe(4);
    await subscription.end();
  });

  test("a page that lacks a figure is a failure like any other", async () => {
    const { engines, clock, metrics } = setUp();
    engines.answers.set("a", () => ({ status: 200, text: "vllm:num_requests_running 1" }));
    const subscription = metrics.subscribe({ periodSeconds: 2, targets: () => [target("a")] });
    await clock.advance(20_000);
    expect(engines.times("a")).toEqual([0, 2, 6, 14]);
    expect(subscription.samples.size).toBe(0);
    await subscription.end();
  });

  test("forgets pods that go, and does not hear what they answer afterwards", async () => {
    const { engines, clock, metrics } = setUp({ a: {} });
    engines.answers.set("slow", async () => {
      await clock.sleep(2500);
      return pageOf({});
    });
    let targets = [target("a"), target("slow")];
    const heard: string[] = [];
    const subscription = metrics.subscribe({
      periodSeconds: 2,
      targets: () => targets,
      onSample: (sample) => heard.push(`${sample.target.address} ${sample.atMs}`),
    });
    await clock.advance(1000);
    expect([...subscription.samples.keys()]).toEqual(["a"]);
    // The one is gone; the other is at another address, as a pod is after its node was started again.
    engines.answers.set("10.0.0.9", () => pageOf({}));
    targets = [target("slow", "10.0.0.9")];
    await clock.advance(2000);
    expect(heard).toEqual(["a 0", "10.0.0.9 2000"]);
    expect([...subscription.samples.keys()]).toEqual(["slow"]);
    targets = [];
    await clock.advance(60_000);
    expect(engines.asked).toHaveLength(3);
    expect(subscription.samples.size).toBe(0);
    await subscription.end();
  });

  test("that throws disturbs neither the others nor itself", async () => {
    const { clock, metrics } = setUp({ a: {} });
    const heard: number[] = [];
    const broken = metrics.subscribe({
      periodSeconds: 2,
      targets: () => [target("a")],
      onSample: () => {
        throw new Error("a bug");
      },
    });
    const well = metrics.subscribe({
      periodSeconds: 2,
      targets: () => [target("a")],
      onSample: ({ atMs }) => heard.push(atMs),
    });
    await clock.advance(4000);
    expect(heard).toEqual([0, 2000, 4000]);
    expect(broken.samples.size).toBe(1);
    await Promise.all([broken.end(), well.end()]);
  });

  test("shares pages with a second subscriber, and each ends on its own", async () => {
    const { engines, clock, metrics } = setUp();
    engines.answers.set("a", async () => {
      await clock.sleep(100);
      return pageOf({});
    });
    const first = metrics.subscribe({ periodSeconds: 2, targets: () => [target("a")] });
    const second = metrics.subscribe({ periodSeconds: 4, targets: () => [target("a")] });
    await clock.advance(8000);
    expect(engines.times("a")).toEqual([0, 2, 4, 6, 8]);
    await first.end();
    await clock.advance(4500);
    expect(engines.times("a")).toEqual([0, 2, 4, 6, 8, 12]);
    await second.end();
    expect(clock.pendingTimers).toBe(0);
  });

  test("cannot ask more often than a pod is worth asking", () => {
    const { metrics } = setUp();
    expect(() => metrics.subscribe({ periodSeconds: 0.5, targets: () => [] })).toThrow(RangeError);
    expect(() => metrics.subscribe({ periodSeconds: Number.NaN, targets: () => [] })).toThrow(RangeError);
  });
});

test("with a thousand pods no more than 200 pages a second are asked for, and 64 at once", async () => {
  const { engines, clock, metrics } = setUp();
  const pods = Array.from({ length: 1000 }, (_, index) => target(`pod-${index}`));
  let inFlight = 0;
  let most = 0;
  for (const { address } of pods) {
    engines.answers.set(address, () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      queueMicrotask(() => (inFlight -= 1));
      return pageOf({});
    });
  }
  const subscription = metrics.subscribe({ periodSeconds: 2, targets: () => pods });
  await clock.advance(10_000);
  // The burst, and 200 a second after it.
  expect(engines.asked.length).toBeLessThanOrEqual(50 + 2000);
  expect(engines.asked.length).toBeGreaterThan(1900);
  expect(most).toBeLessThanOrEqual(64);
  expect(subscription.samples.size).toBe(1000);
  await subscription.end();
});

test("of pods that all hang no more than 64 are asked at once", async () => {
  const { engines, clock, metrics } = setUp();
  const pods = Array.from({ length: 200 }, (_, index) => target(`pod-${index}`));
  const subscription = metrics.subscribe({ periodSeconds: 2, targets: () => pods });
  await clock.advance(2900);
  expect(engines.asked).toHaveLength(64);
  await subscription.end();
});

test("a stop ends everything that is under way or wanted", async () => {
  const { engines, clock, metrics } = setUp({ a: {} });
  const stop = new AbortController();
  const running = metrics.run({ stop: stop.signal });
  metrics.subscribe({ periodSeconds: 2, targets: () => [target("a"), target("hangs")] });
  await clock.advance(4000);
  const reading = metrics.read(target("hangs"), never).catch(String);
  stop.abort(new Error("the operator stops"));
  await running;
  expect(await reading).toBe("Error: stopping");
  const before = engines.asked.length;
  await clock.advance(60_000);
  expect(engines.asked).toHaveLength(before);
  expect(clock.pendingTimers).toBe(0);
});
