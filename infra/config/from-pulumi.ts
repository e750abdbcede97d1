// The configuration as a running Pulumi program gets it: the file of its stack, or the one that the stack names.
import { resolve } from "node:path";
import { Config, RunError, getStack } from "@pulumi/pulumi";
import type { StackConfiguration } from "./stack-configuration.ts";
import { readStackFile, stackFilePath } from "./stack-file.ts";

/**
 * Reads `infra/stacks/<stack>.yaml`, or the file that `llama-operator:configuration` names, from `projectFolder`.
 * @throws RunError, which Pulumi shows without a stack trace, with all mistakes
 */
export async function configurationOfStack(projectFolder: string): Promise<StackConfiguration> {
  const named = new Config("llama-operator").get("configuration");
  const path = named === undefined ? stackFilePath(getStack()) : resolve(projectFolder, named);
  try {
    return await readStackFile(path);
  } catch (error) {
    throw new RunError(error instanceof Error ? error.message : String(error));
  }
}
