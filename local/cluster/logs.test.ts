import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { logsTail } from "./logs.ts";

test("the ends of the logs are shown under the paths of their files", async () => {
  const directory = await mkdtemp(join(tmpdir(), "logs-"));
  await writeFile(join(directory, "etcd.log"), "one\ntwo\nthree\n");
  await writeFile(join(directory, "kwok.log"), `${"x".repeat(100_000)}\nlast\n`);
  expect(await logsTail(directory, 2, ["etcd"])).toBe(`--- ${join(directory, "etcd.log")}\ntwo\nthree`);
  expect(await logsTail(directory, 1)).toContain(`--- ${join(directory, "kwok.log")}\nlast`);
  await rm(directory, { recursive: true });
});

test("a folder that is not there has no logs", async () => {
  expect(await logsTail("/no/such/folder", 5)).toBe("");
});
