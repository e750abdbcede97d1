// What a first preview leaves behind: nothing, neither a stack on the backend nor a file in the projects' folders.

import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFailed, test } from "vitest";
import { withThrowAwayStacks } from "../../infra/cli/first-preview.ts";
import { projectFolder, pulumiRunner } from "../../infra/cli/pulumi-cli.ts";
import type { ProjectName } from "../../infra/cli/sequence.ts";
import { parseStackName } from "../../infra/cli/stack-name.ts";
import { makeStack, missingStacks } from "../../infra/cli/stacks.ts";
import { viewProject } from "../../infra/local-engine/project-view.ts";
import { sharedCluster } from "../support/cluster.ts";
import { testEngine } from "../support/pulumi.ts";

const { kubeconfigPath } = sharedCluster();
const engine = await testEngine((cleanUp) => afterAll(cleanUp));
const folder = await mkdtemp(join(tmpdir(), "llama-operator-first-preview-"));
afterAll(async () => rm(folder, { recursive: true }));

const { signal } = new AbortController();
const environment = { ...engine.environment, KUBECONFIG: kubeconfigPath };
const views: Record<ProjectName, string> = {
  platform: await viewProject(projectFolder("platform"), folder),
  serving: await viewProject(projectFolder("serving"), folder),
};
const pulumi = pulumiRunner(environment, signal, (project) => views[project]);
const local = parseStackName("local");

/** The inputs of the provider that a preview of serving would make. */
async function plannedProvider(kubeconfig: string): Promise<unknown> {
  let provider: unknown;
  const missing = await missingStacks(pulumi, local);
  const preview = {
    pulumi,
    stack: local,
    missing,
    environment: { ...environment, KUBECONFIG: kubeconfig },
    signal,
  };
  await withThrowAwayStacks(preview, async (throwAway) => {
    const { exitCode, output, standardOutput } = await throwAway.read("serving", [
      "preview",
      "--json",
      "--stack",
      "local",
    ]);
    onTestFailed(() => console.error(output));
    expect(exitCode).toBe(0);
    const { steps } = JSON.parse(standardOutput) as {
      readonly steps: readonly { readonly newState: { readonly type: string; readonly inputs: unknown } }[];
    };
    provider = steps.find(({ newState }) => newState.type === "pulumi:providers:kubernetes")?.newState.inputs;
  });
  return provider;
}

test("a first preview shows both projects and leaves no stack and no file behind", async () => {
  const organization = parseStackName("acme/local");
  const before = await readdir(projectFolder("platform"));
  const outputs: string[] = [];
  const missing = ["platform", "serving"] as const;
  await withThrowAwayStacks(
    { pulumi, stack: organization, missing, environment, signal },
    async (throwAway) => {
      for (const project of missing) {
        const { exitCode, output } = await throwAway.read(project, ["preview", "--stack", "acme/local"]);
        outputs.push(output);
        onTestFailed(() => console.error(output));
        expect(exitCode).toBe(0);
      }
    },
  );
  expect(outputs[1]).toContain("llama-llama-405b-fp8");
  expect(outputs.join()).not.toContain("Undefined value");
  expect(await missingStacks(pulumi, local)).toEqual(["platform", "serving"]);
  expect(await readdir(projectFolder("platform"))).toEqual(before);
});

test("what serves is previewed on the platform that is there", async () => {
  await makeStack(pulumi, "platform", local, undefined);
  expect(
    (await pulumi.read("platform", ["up", "--yes", "--skip-preview", "--stack", "local"])).exitCode,
  ).toBe(0);
  expect(await missingStacks(pulumi, local)).toEqual(["serving"]);
  const elsewhere = join(folder, "kubeconfig");
  await copyFile(kubeconfigPath, elsewhere);
  expect(await plannedProvider(elsewhere)).toMatchObject({ kubeconfig: kubeconfigPath });
  expect(await missingStacks(pulumi, local)).toEqual(["serving"]);
});
