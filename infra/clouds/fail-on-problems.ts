// What a platform program does with what it found out of an account.
import { RunError, log } from "@pulumi/pulumi";
import type { AccountCheck } from "./account-check.ts";

/** Warns of what could not be read. @throws RunError with all that `owner` ("the account") lacks */
export async function failOnProblems(owner: string, { problems, warnings }: AccountCheck): Promise<void> {
  for (const warning of warnings) await log.warn(warning);
  if (problems.length > 0) {
    throw new RunError([`${owner} lacks what the pools need; nothing was done`, ...problems].join("\n  "));
  }
}
