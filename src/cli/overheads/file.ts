// `--measured-overheads`: the file of what running engines were found to take, for the commands that plan.
import { readFile } from "node:fs/promises";
import { Option } from "commander";
import { parseDocument } from "yaml";
import { parseMeasuredOverheads, type MeasuredOverhead } from "@llama-operator/llama/api";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";

export interface OverheadsOption {
  readonly measuredOverheads?: string;
}

export function measuredOverheadsOption(): Option {
  return new Option(
    "--measured-overheads <file>",
    "plan with these instead of the rule of the engine's version; llama-operator overheads writes them",
  );
}

/** The overheads of the file; none without one. @throws CommandError (usage) for what cannot be read or is no such list */
export async function readMeasuredOverheads(file: string | undefined): Promise<readonly MeasuredOverhead[]> {
  if (file === undefined) return [];
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw usage(file, cause instanceof Error ? cause.message : String(cause), cause);
  });
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw usage(file, `not YAML: ${error.message.split("\n", 1)[0] ?? ""}`);
  const parsed = parseMeasuredOverheads(document.toJS());
  if (parsed.ok) return parsed.overheads;
  throw usage(file, parsed.problems.map(({ path, message }) => `${path} ${message}`.trim()).join("; "));
}

function usage(file: string, message: string, cause?: unknown): CommandError {
  return new CommandError(`--measured-overheads ${file}: ${message}`, { code: exitCodes.usage, cause });
}
