// The configuration as a running Pulumi program gets it: the file of its stack, or the one that the stack names, with the
// values of Pulumi's configuration over it.
import { resolve } from "node:path";
import { RunError, getStack, runtime } from "@pulumi/pulumi";
import { configurationNamespace, overlayOf } from "./overlay.ts";
import type { Overlay } from "./overlay.ts";
import type { StackConfiguration } from "./stack-configuration.ts";
import { readStackFile, stackFilePath } from "./stack-file.ts";

/**
 * Reads `infra/stacks/<stack>.yaml`, or the file that `llama-operator:configuration` names, from `projectFolder`, and lays
 * the sections over it that Pulumi's configuration has in that namespace.
 * @throws RunError, which Pulumi shows without a stack trace, with all mistakes
 */
export async function configurationOfStack(projectFolder: string): Promise<StackConfiguration> {
  const overlay = overlayOfProgram(runtime.allConfig(), process.env["PULUMI_CONFIG_SECRET_KEYS"]);
  const path = overlay.file === undefined ? stackFilePath(getStack()) : resolve(projectFolder, overlay.file);
  try {
    return await readStackFile(path, overlay);
  } catch (error) {
    throw new RunError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * What a program is given: all values as text, and the keys of those that hold a secret.
 * Source: pulumi/pulumi, sdk/nodejs/runtime/config.ts.
 */
function overlayOfProgram(config: Readonly<Record<string, string>>, secretKeys = "[]"): Overlay {
  const secret = new Set(JSON.parse(secretKeys) as readonly string[]);
  const prefix = `${configurationNamespace}:`;
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return overlayOf(
    Object.fromEntries(
      own.map(([key, value]) => [key.slice(prefix.length), { value, secret: secret.has(key) }]),
    ),
  );
}
