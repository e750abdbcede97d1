// Helm's command line, of the build on the PATH: what the real provider does through Helm's library.

import { spawn } from "node:child_process";

import { stringify } from "yaml";

import type { PropertyMap } from "../protocol/properties.ts";

export interface HelmContext {
  readonly kubeconfigPath: string;
  readonly context: string | undefined;
}

/** What Helm says of a release. */
export interface ReleaseStatus {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info: { readonly status: string };
  readonly chart?: {
    readonly metadata?: { readonly name?: string; readonly version?: string; readonly appVersion?: string };
  };
}

/** Helm said no; `message` is what it said. */
export class HelmError extends Error {
  override readonly name = "HelmError";
}

/** Runs one command, with the values at its standard input. Returns its standard output. */
export async function helm(
  args: readonly string[],
  { kubeconfigPath, context }: HelmContext,
  signal: AbortSignal,
  values?: PropertyMap,
): Promise<string> {
  const flags = [
    "--kubeconfig",
    kubeconfigPath,
    ...(context === undefined ? [] : ["--kube-context", context]),
  ];
  const child = spawn("helm", [...args, ...flags], { stdio: ["pipe", "pipe", "pipe"] });
  // Interrupted, Helm marks the release as failed or rolls it back.
  const interrupt = () => child.kill("SIGINT");
  signal.addEventListener("abort", interrupt, { once: true });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.stdin.on("error", () => {});
  child.stdin.end(values === undefined ? "" : stringify(values));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code === 0) return output.stdout;
    throw new HelmError(output.stderr.replace(/^Error: /, "").trim() || `helm ${args[0]} ended with ${code}`);
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** Undefined where there is no such release. */
export async function releaseStatus(
  name: string,
  namespace: string,
  context: HelmContext,
  signal: AbortSignal,
): Promise<ReleaseStatus | undefined> {
  try {
    const text = await helm(["status", name, "--namespace", namespace, "--output", "json"], context, signal);
    return JSON.parse(text) as ReleaseStatus;
  } catch (error) {
    if (error instanceof HelmError && error.message.includes("not found")) return undefined;
    throw error;
  }
}
