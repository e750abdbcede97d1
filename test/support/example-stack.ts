// An example stack as its tests run it: both unchanged projects, on a cluster of the test's own, which is the local one
// or stands for the one that a cloud makes, with what only a test changes of the stack's file.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFailed } from "vitest";
import { parse, stringify } from "yaml";
import { stackFilePath } from "../../infra/config/stack-file.ts";
import { followDevices } from "../../infra/testing/cloud-provider/devices.ts";
import type { PulumiEngine, RunOptions, RunResult } from "../../infra/testing/pulumi.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { chat } from "../../local/demo/chat.ts";
import { operatorImage } from "../../local/operator-image.ts";
import { type CleanUp, kubectl } from "./cluster.ts";
import { testEngine } from "./pulumi.ts";
import { testCluster } from "./test-cluster.ts";

const project = (name: string) => fileURLToPath(new URL(`../../infra/${name}`, import.meta.url));
export const platform = project("platform");
export const serving = project("serving");

interface ModelSection {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The sections of a stack's file that tests change. */
export interface StackSections {
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly pools: readonly Readonly<Record<string, unknown>>[];
  readonly models: readonly ModelSection[];
  readonly operator: Readonly<Record<string, unknown>>;
}

type Operation = "preview" | "up" | "refresh" | "destroy" | "previewDestroy" | "cancel" | "importResource";

export interface ExampleStack {
  readonly cluster: LocalCluster;
  readonly engine: PulumiEngine;
  /** The file of the checkout, with the image that the local cluster knows. */
  readonly example: StackSections;
  /** Writes the stack's configuration: the example's with these sections instead. */
  configure(changes?: object): Promise<void>;
  run(operation: Operation, projectDir: string, options?: RunOptions): Promise<RunResult>;
  /** Project after project, until one fails. @returns their exit codes */
  runAll(operation: Operation, projects: readonly string[]): Promise<readonly (number | null)[]>;
  /** `kubectl get`. */
  get(...args: readonly string[]): Promise<string>;
  /** What a model says when it is asked something. */
  answerOf(namespace: string, model: string): Promise<string>;
}

/** The environment in which an example finds its cluster: the clouds' do without one. */
type EnvironmentOf = (cluster: LocalCluster) => Readonly<Record<string, string>>;

/** Starts it; `after` registers its end. */
export async function exampleStack(
  stack: string,
  after: CleanUp,
  environmentOf: EnvironmentOf = () => ({}),
): Promise<ExampleStack> {
  const written = parse(await readFile(stackFilePath(stack), "utf8")) as StackSections;
  const example = { ...written, operator: { ...written.operator, image: operatorImage } };
  const cluster = await testCluster(stack);
  const ended = new AbortController();
  const following = followDevices(cluster.kubeconfigPath, ended.signal);
  after(async () => {
    ended.abort();
    await following;
    await cluster.stop();
  });
  const engine = await testEngine(after, cluster);
  const folder = await mkdtemp(join(tmpdir(), "llama-operator-stack-"));
  after(async () => rm(folder, { recursive: true }));
  const stackFile = join(folder, `${stack}.yaml`);
  const configure = async (changes: object = {}) =>
    writeFile(stackFile, stringify({ ...example, ...changes }));
  await configure();

  const run: ExampleStack["run"] = async (operation, projectDir, options = {}) => {
    const result = await engine[operation](projectDir, stack, {
      ...options,
      config: { "llama-operator:configuration": stackFile },
      environment: { ...environmentOf(cluster), ...options.environment },
    });
    onTestFailed(() => console.error(result.output));
    return result;
  };
  const get: ExampleStack["get"] = async (...args) => kubectl(cluster, ["get", ...args]);
  return {
    cluster,
    engine,
    example,
    configure,
    run,
    async runAll(operation, projects) {
      const exitCodes: (number | null)[] = [];
      for (const each of projects) {
        exitCodes.push((await run(operation, each)).exitCode);
        if (exitCodes.at(-1) !== 0) break;
      }
      return exitCodes;
    },
    get,
    async answerOf(namespace, model) {
      const endpoint = await get(
        "llamadeployment",
        model,
        "-n",
        namespace,
        "-o",
        "jsonpath={.status.endpoint}",
      );
      const texts: string[] = [];
      await chat({
        proxyUrl: cluster.proxyUrl,
        endpoint,
        prompt: "Who are you?",
        maxTokens: 8,
        signal: AbortSignal.timeout(30_000),
        onText: (text) => texts.push(text),
      });
      return texts.join("");
    },
  };
}
