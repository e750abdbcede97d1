import { expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { Scheduler, type SchedulerLimits, type SequenceFinish, type StepReport } from "./scheduler.ts";

const roomy: SchedulerLimits = { maxNumSeqs: 16, maxNumBatchedTokens: 64, blockSize: 16, usableBlocks: 1000 };

/** A scheduler whose steps take 10 ms of a clock that runs as fast as it is asked to. */
function bench(limits: Partial<SchedulerLimits> = {}): {
  readonly scheduler: Scheduler;
  readonly steps: StepReport[];
  readonly submit: (
    promptTokens: number,
    outputTokens: number,
  ) => { readonly abort: () => void; readonly finish: Promise<SequenceFinish> };
  readonly run: <T>(until: Promise<T>) => Promise<T>;
} {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: async (milliseconds) => {
      await Promise.resolve();
      now += milliseconds;
    },
  };
  const steps: StepReport[] = [];
  const scheduler = new Scheduler(
    { ...roomy, ...limits },
    () => 0.01,
    1,
    clock,
    (step) => steps.push(step),
  );
  return {
    scheduler,
    steps,
    submit: (promptTokens, outputTokens) => {
      const finish = Promise.withResolvers<SequenceFinish>();
      const abort = scheduler.submit({
        promptTokens,
        outputTokens,
        finishReason: "length",
        onToken: () => undefined,
        onFinish: finish.resolve,
      });
      return { abort, finish: finish.promise };
    },
    run: async (until) => {
      const stop = new AbortController();
      const running = scheduler.run(stop.signal);
      const result = await until;
      stop.abort();
      await running;
      return result;
    },
  };
}

test("gives the first token after the prefill and one more each step", async () => {
  const { submit, run } = bench();
  const finish = await run(submit(32, 5).finish);
  expect(finish).toMatchObject({
    reason: "length",
    generatedTokens: 5,
    arrivedAt: 0,
    firstTokenAt: 10,
    finishedAt: 50,
  });
});

test("splits a prompt that is longer than the token budget over several steps", async () => {
  const { submit, run, steps } = bench({ maxNumBatchedTokens: 64 });
  await run(submit(150, 1).finish);
  expect(steps.map(({ prefillTokens }) => prefillTokens)).toEqual([64, 64, 22]);
});

test("lets decodes go before new prompts, within one budget", async () => {
  const { submit, run, steps } = bench({ maxNumBatchedTokens: 10 });
  const first = submit(10, 3);
  const second = submit(10, 1);
  await run(Promise.all([first.finish, second.finish]));
  expect(steps.map(({ prefillTokens, generatedTokens }) => [prefillTokens, generatedTokens])).toEqual([
    [10, 1],
    [9, 1],
    [1, 2],
  ]);
});

test("makes sequences wait for a seat", async () => {
  const { submit, run } = bench({ maxNumSeqs: 1 });
  const first = submit(16, 4);
  const second = submit(16, 1);
  await run(Promise.all([first.finish, second.finish]));
  expect(await second.finish).toMatchObject({ scheduledAt: 40, finishedAt: 50 });
});

test("makes sequences wait for KV blocks", async () => {
  const { scheduler, submit, run } = bench({ usableBlocks: 4 });
  const first = submit(48, 4);
  const second = submit(32, 1);
  await run(Promise.all([first.finish, second.finish]));
  expect((await second.finish).scheduledAt).toBe(40);
  expect(scheduler.kvCacheUsage).toBe(0);
});

test("preempts the youngest when a sequence needs a block and none is left, and computes it again later", async () => {
  const { submit, run, steps } = bench({ usableBlocks: 4 });
  const old = submit(32, 20);
  const young = submit(32, 20);
  const finishes = await run(Promise.all([old.finish, young.finish]));
  expect(finishes.map(({ preemptions, generatedTokens }) => [preemptions, generatedTokens])).toEqual([
    [0, 20],
    [1, 20],
  ]);
  expect(steps.reduce((sum, { preemptions }) => sum + preemptions, 0)).toBe(1);
});

test("frees what an aborted sequence held", async () => {
  const { scheduler, submit, run } = bench();
  const long = submit(32, 1000);
  const short = submit(32, 3);
  await run(
    short.finish.then(() => {
      long.abort();
      return long.finish;
    }),
  );
  expect(await long.finish).toMatchObject({ reason: "abort" });
  expect([scheduler.runningCount, scheduler.kvCacheUsage]).toEqual([0, 0]);
});

test("aborts at once what comes after it was closed, and goes on with the rest", async () => {
  const { scheduler, submit, run } = bench();
  const before = submit(16, 5);
  scheduler.close();
  const after = submit(16, 5);
  const finishes = await run(Promise.all([before.finish, after.finish]));
  expect(finishes.map(({ reason, generatedTokens }) => [reason, generatedTokens])).toEqual([
    ["length", 5],
    ["abort", 0],
  ]);
});
