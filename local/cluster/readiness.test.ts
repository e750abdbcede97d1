import { expect, test } from "vitest";
import { untilSucceeds } from "./readiness.ts";

const failsTimes = (times: number) => {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) {
      throw new Error(`not yet, ${left} left`);
    }
    return "ready";
  };
};

test("it tries until the attempt succeeds", async () => {
  expect(await untilSucceeds(failsTimes(2), new AbortController().signal)).toBe("ready");
});

test("an abort ends the wait with its reason, which carries the last failure", async () => {
  const reason = new Error("took too long");
  const waiting = untilSucceeds(failsTimes(1000), AbortSignal.any([AbortSignal.timeout(30)]));
  await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
  const controller = new AbortController();
  const attempt = async () => {
    controller.abort(reason);
    throw new Error("refused");
  };
  await expect(untilSucceeds(attempt, controller.signal)).rejects.toBe(reason);
  expect(reason.cause).toMatchObject({ message: "refused" });
});
