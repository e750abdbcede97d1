// Reads the configuration of a stack: one YAML file, the same for both projects, the command line and render, with the
// values of Pulumi's own configuration over it.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { parseConfiguration } from "./configuration.ts";
import { hasChartValues, laidOver, noOverlay, shownProblems } from "./overlay.ts";
import type { Overlay } from "./overlay.ts";
import type { StackConfiguration } from "./stack-configuration.ts";
import { ConfigurationError } from "./problem.ts";

/** Where the configuration of a stack is looked for: `<stack>.yaml`. */
export const stacksFolder = join(import.meta.dirname, "..", "stacks");

/** The file of a stack of this checkout. */
export const stackFilePath = (stack: string): string => join(stacksFolder, `${stack}.yaml`);

/**
 * Reads a stack's configuration: its file, with what Pulumi's own configuration lays over it.
 * @throws ConfigurationError with all its mistakes, or an error where the file cannot be read
 */
export async function readStackFile(path: string, overlay: Overlay = noOverlay): Promise<StackConfiguration> {
  const isLaidOver = Object.keys(overlay.sections).length > 0;
  const file = await readFile(path, "utf8").catch(async (cause: unknown) => {
    if (isLaidOver && overlay.file === undefined && isMissing(cause)) return undefined;
    const stacks = (await stackNames()).join(", ");
    throw new Error(`cannot read the stack's configuration ${path}; stacks of this checkout: ${stacks}`, {
      cause,
    });
  });
  const written = file === undefined ? undefined : yamlOf(file, path);
  const parsed = parseConfiguration(isLaidOver ? laidOver(written, overlay.sections) : written);
  const problems = [...overlay.problems, ...(parsed.ok ? [] : shownProblems(overlay, parsed.problems))];
  if (!parsed.ok || problems.length > 0)
    throw new ConfigurationError(sourceOf(path, file, overlay), problems);
  return hasChartValues(overlay)
    ? { ...parsed.configuration, secretChartValues: true }
    : parsed.configuration;
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

function sourceOf(path: string, file: string | undefined, { sections, problems }: Overlay): string {
  if (file === undefined) return "Pulumi's configuration";
  const isLaidOver = Object.keys(sections).length + problems.length > 0;
  return isLaidOver ? `${path} with Pulumi's configuration over it` : path;
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
