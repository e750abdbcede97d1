import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";

import { setStackConfig, viewProject } from "./project-view.ts";

let folder: string;
let projectDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "view-"));
  projectDir = join(folder, "project");
  await mkdir(projectDir);
  await writeFile(join(projectDir, "Pulumi.yaml"), "name: serving\nruntime: nodejs\n");
  await writeFile(join(projectDir, "Pulumi.local.yaml"), "config:\n  serving:model: small\n");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const readYaml = async (...path: string[]) => parse(await readFile(join(...path), "utf8")) as unknown;

test("a view runs the project's program where it lies, with its stack files", async () => {
  const view = await viewProject(projectDir, join(folder, "views"));
  expect(await readYaml(view, "Pulumi.yaml")).toEqual({
    name: "serving",
    runtime: "nodejs",
    main: join(projectDir, "index.ts"),
  });
  expect(await readYaml(view, "Pulumi.local.yaml")).toEqual({ config: { "serving:model": "small" } });
});

test("what a test sets stays in the view, also when it is looked at again", async () => {
  const view = await viewProject(projectDir, join(folder, "views"));
  await setStackConfig(view, "local", { "serving:model": undefined, "serving:pools": [{ name: "a" }] });
  await viewProject(projectDir, join(folder, "views"));
  expect(await readYaml(view, "Pulumi.local.yaml")).toEqual({ config: { "serving:pools": [{ name: "a" }] } });
  expect(await readYaml(projectDir, "Pulumi.local.yaml")).toEqual({ config: { "serving:model": "small" } });
  expect(await readdir(projectDir)).toHaveLength(2);
});
