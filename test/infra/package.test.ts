// The package @llama-operator/infra, packed and put into an empty project as npm would: a person's own program
// type-checks against it, is previewed by the real engine, and applies the policy pack by its folder.
//
// It differs from an installation in that the packages beside it are those of this checkout, by links; Pulumi's own
// starter of policy packs does not bear TypeScript 7 beside it, so that its SDK is copied where the pack is run.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { errors, resourceChanges } from "../../infra/testing/engine/events.ts";
import type { RunResult } from "../../infra/testing/pulumi.ts";
import { sharedCluster } from "../support/cluster.ts";
import { testEngine } from "../support/pulumi.ts";

const cluster = sharedCluster();
const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const engine = await testEngine((cleanUp) => afterAll(cleanUp));
const folder = await mkdtemp(join(tmpdir(), "llama-operator-package-"));
afterAll(async () => rm(folder, { recursive: true }));

const project = join(folder, "project");
const policies = join(folder, "policies");
const packageName = "@llama-operator/infra";
const inPackages = (of: string, name: string) => join(of, "node_modules", name);

beforeAll(async () => {
  const built = join(folder, "built");
  await run(process.execPath, [join(root, "scripts", "build-infra.ts"), built]);
  await run("npm", ["pack", built, "--pack-destination", folder], { cwd: folder });
  const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  await cp(join(root, "infra", "testing", "consumer-project"), project, { recursive: true });
  for (const each of [project, policies]) {
    const at = inPackages(each, packageName);
    await mkdir(at, { recursive: true });
    await run("tar", ["-xzf", join(folder, String(archive)), "--strip-components=1", "-C", at]);
  }
  await link(project, ["@pulumi/kubernetes", "@pulumi/pulumi", "@types/node", "yaml", "zod"]);
  await link(policies, [
    "@grpc/grpc-js",
    "google-protobuf",
    "yaml",
    "zod",
    ...(await needsOf("@pulumi/pulumi")),
  ]);
  for (const sdk of ["@pulumi/pulumi", "@pulumi/policy"]) {
    await cp(inPackages(root, sdk), inPackages(policies, sdk), { recursive: true });
  }
});

async function link(of: string, names: readonly string[]): Promise<void> {
  for (const name of new Set(names)) {
    const at = inPackages(of, name);
    await mkdir(dirname(at), { recursive: true });
    await symlink(inPackages(root, name), at);
  }
}

async function needsOf(name: string): Promise<readonly string[]> {
  const manifest = await readFile(join(inPackages(root, name), "package.json"), "utf8");
  return Object.keys((JSON.parse(manifest) as { readonly dependencies: object }).dependencies);
}

const typeCheck = async (file: string) =>
  run(
    process.execPath,
    [
      inPackages(root, "typescript/bin/tsc"),
      "--noEmit",
      "--strict",
      "--target",
      "es2022",
      "--module",
      "nodenext",
      "--types",
      "node",
      file,
    ],
    { cwd: project },
  ).then(
    () => "",
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );

async function previewed(config: Readonly<Record<string, unknown>>): Promise<RunResult> {
  const result = await engine.preview(project, "test", { config });
  onTestFailed(() => console.error(result.output));
  return result;
}

test("a program that uses the package type-checks, with nothing of the types skipped", async () => {
  expect(await typeCheck("index.ts")).toBe("");
});

test("a mistake in such a program is an error of its types", async () => {
  await writeFile(
    join(project, "mistakes.ts"),
    `import { LlamaOperator, parseConfiguration } from "${packageName}";
const operator = { namespace: "a", replicas: 1, values: {} };
export const noProvider = new LlamaOperator("a", { operator }, {});
export const noOperator = new LlamaOperator("a", {}, noProvider);
export const configuration = parseConfiguration({}).configuration;
`,
  );
  const said = await typeCheck("mistakes.ts");
  expect(said).toContain("Property 'provider' is missing");
  expect(said).toContain("Property 'operator' is missing");
  expect(said).toContain("Property 'configuration' does not exist");
});

test("such a program is previewed, with the chart that the package carries", async () => {
  const kubeconfig = await readFile(cluster.kubeconfigPath, "utf8");
  const preview = await previewed({
    "consumer:kubeconfig": kubeconfig,
    "consumer:model": "llama-3.1-70b-instruct",
  });
  expect(preview.exitCode).toBe(0);
  expect(resourceChanges(preview.events)).toEqual({ create: 12 });
});

test("such a program is told what cannot run, in the planner's words", async () => {
  const refused = await previewed({ "consumer:model": "llama-9000" });
  expect(refused.exitCode).not.toBe(0);
  expect(errors(refused.events).join()).toContain("llama-9000");
});

test("the policy pack of the package is applied by its folder", async () => {
  const pack = join(inPackages(policies, packageName), "infra", "policies");
  const judged = join(root, "infra", "testing", "policy-project");
  const nodeConfig = { machineType: "a3-highgpu-8g", spot: true };
  const preview = await engine.preview(judged, "test", {
    config: {
      "policy-test:name": "packed",
      "policy-test:privateNodes": true,
      "policy-test:pools": { spot: { nodeCount: 1, nodeConfig } },
    },
    args: ["--policy-pack", pack],
  });
  onTestFailed(() => console.error(preview.output));
  expect(preview.exitCode).not.toBe(0);
  const violated = preview.events.flatMap(({ policyEvent }) => policyEvent?.policyName ?? []);
  expect(violated.toSorted()).toEqual([
    "fabric-in-one-zone",
    "no-spot-gpus",
    "repaired-gpu-nodes",
    "tainted-gpu-pools",
  ]);
});
