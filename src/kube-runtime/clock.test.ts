import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";

test("a time that is past already is due at once, without a warning of Node's", async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error): void => {
    warnings.push(name);
  };
  process.on("warning", note);
  await systemClock.sleep(-0.5);
  // Warnings are told in a later turn.
  await systemClock.sleep(5);
  process.off("warning", note);
  expect(warnings).toEqual([]);
});
