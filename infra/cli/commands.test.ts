import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "..", "main.ts");

async function infra(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args]);
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as {
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    };
    return { code, text: stdout + stderr };
  }
}

test("a stack of an organization has the configuration of its name", async () => {
  const { code, text } = await infra("plan", "--stack", "acme/local");
  expect(text).toContain("405B FP8");
  expect(code).toBe(0);
});

test("a path is no stack", async () => {
  const { code, text } = await infra("plan", "--stack", "../stacks/local");
  expect(text).toContain("write the stack's name, or organization/name");
  expect(code).toBe(2);
});

test("only up makes stacks, so only up is told what encrypts their secrets", async () => {
  const { text } = await infra("preview", "--stack", "local", "--secrets-provider", "gcpkms://key");
  expect(text).toContain("unknown option '--secrets-provider'");
});

test("a local stack has no state without its cluster", async () => {
  const { code, text } = await infra("destroy", "--stack", "local", "--cluster-gone");
  expect(text).toContain("the state of a local stack ends with its cluster");
  expect(code).toBe(1);
});
