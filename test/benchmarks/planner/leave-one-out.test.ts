import { expect, test } from "vitest";
import type { Judged } from "./judge.ts";
import { leaveOneOut } from "./leave-one-out.ts";

/** A row of 1,000 tokens of 1 MiB each that was planned off by so many of them. */
function off(group: string, tokens: number): Judged {
  return {
    id: `${group} ${tokens}`,
    regime: group,
    group,
    predictedTokens: 1000 + tokens,
    atLeastTokens: 900,
    actualTokens: 1000,
    bytesPerToken: 2 ** 20,
    error: tokens / 1000,
    errorGibPerGpu: tokens / 1024,
    promised: true,
    refused: false,
  };
}

test("a row is judged by what the others of its group say, and not at all where it is alone", () => {
  const errors = leaveOneOut([off("a", 30), off("a", 10), off("a", 20), off("b", 50)]);
  expect(errors.slice(0, 3)).toEqual([
    expect.closeTo(0.015, 6),
    expect.closeTo(-0.015, 6),
    expect.closeTo(0, 6),
  ]);
  expect(errors[3]).toBeNull();
});
