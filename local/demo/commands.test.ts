import { expect, test } from "vitest";
import { llamaOperator, run } from "./commands.ts";

test("what the demo runs as llama-operator is this project's command line", async () => {
  const { signal } = new AbortController();
  expect(await run(llamaOperator("--help"), { signal })).toContain("Usage: llama-operator");
}, 60_000);
