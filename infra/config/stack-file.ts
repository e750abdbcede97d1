// Reads the configuration of a stack: one YAML file, the same for both projects, the command line and render.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { parseConfiguration } from "./configuration.ts";
import type { StackConfiguration } from "./stack-configuration.ts";
import { ConfigurationError } from "./problem.ts";

/** Where the configuration of a stack is looked for: `<stack>.yaml`. */
export const stacksFolder = join(import.meta.dirname, "..", "stacks");

/** The file of a stack of this checkout. */
export const stackFilePath = (stack: string): string => join(stacksFolder, `${stack}.yaml`);

/**
 * Reads a stack's configuration.
 * @throws ConfigurationError with all its mistakes, or an error where the file cannot be read
 */
export async function readStackFile(path: string): Promise<StackConfiguration> {
  const text = await readFile(path, "utf8").catch(async (cause: unknown) => {
    const stacks = (await stackNames()).join(", ");
    throw new Error(`cannot read the stack's configuration ${path}; stacks of this checkout: ${stacks}`, {
      cause,
    });
  });
  const parsed = parseConfiguration(yamlOf(text, path));
  if (!parsed.ok) throw new ConfigurationError(path, parsed.problems);
  return parsed.configuration;
}

async function stackNames(): Promise<readonly string[]> {
  const files = await readdir(stacksFolder);
  return files.flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

function yamlOf(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    throw new ConfigurationError(path, [{ path: "", message: `no YAML: ${cause.message}` }]);
  }
}
