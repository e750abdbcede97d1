// A LlamaDeployment out of flags, for who has no file yet: `plan --model … --context … --concurrency …`.
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { apiGroupVersion, parseLlamaDeployment, type LlamaDeployment } from "@llama-operator/llama/api";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";

export interface IntentOptions {
  readonly model?: string;
  readonly context?: number;
  readonly concurrency?: number;
  readonly weights?: string;
  readonly kvCache?: string;
  readonly tensor?: number;
  readonly pipeline?: number;
  readonly engineVersion?: string;
}

/** `131072`, `128K`, `128k`: a number of tokens. */
function parseTokens(text: string): number {
  const match = /^(\d{1,8})([kK])?$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (match[2] === undefined ? 1 : 1024);
  if (!(value >= 1)) throw new InvalidArgumentError("a number of tokens, such as 8192 or 128K");
  return value;
}

function parseWhole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("a whole number of at least 1");
  return Number(text);
}

/** Adds the flags that take the place of a file. */
export function withIntentOptions(command: Command): Command {
  return command
    .option("--model <name>", "plan this model of the catalog instead of a file")
    .option("--context <tokens>", "longest request, e.g. 8192 or 128K; else the model's own", parseTokens)
    .option("--concurrency <requests>", "requests of that length at once", parseWhole)
    .addOption(new Option("--weights <format>").choices(["auto", "bf16", "fp8", "int8", "int4"]))
    .addOption(new Option("--kv-cache <format>").choices(["auto", "bf16", "fp8"]))
    .option("--tensor <degree>", "tensor parallel degree; else the planner's choice", parseWhole)
    .option("--pipeline <degree>", "pipeline parallel degree; else the planner's choice", parseWhole)
    .option("--engine-version <version>", "version of vLLM");
}

/** The flags of intent that were given, as they are written, and the field of a file that says the same. */
export function givenIntent(
  options: IntentOptions,
): readonly { readonly flag: string; readonly field: string }[] {
  return fieldsOfFlags.filter(({ option }) => options[option] !== undefined);
}

/** Which field of `spec` each flag stands for. */
const fieldsOfFlags: readonly {
  readonly option: keyof IntentOptions;
  readonly flag: string;
  readonly field: string;
}[] = [
  { option: "model", flag: "--model", field: "model.name" },
  { option: "context", flag: "--context", field: "context.maxTokens" },
  { option: "concurrency", flag: "--concurrency", field: "context.minConcurrency" },
  { option: "weights", flag: "--weights", field: "quantization.weights" },
  { option: "kvCache", flag: "--kv-cache", field: "quantization.kvCache" },
  { option: "tensor", flag: "--tensor", field: "parallelism.tensor" },
  { option: "pipeline", flag: "--pipeline", field: "parallelism.pipeline" },
  { option: "engineVersion", flag: "--engine-version", field: "engine.version" },
];

/** A patch of `spec` in flags: `with --tensor 8, without --pipeline`; undefined where no flag says it. */
export function flagsOfPatch(patch: Readonly<Record<string, unknown>>): string | undefined {
  const changes = leavesOf(patch, "").map(([path, value]) => {
    const flag = fieldsOfFlags.find(({ field }) => field === path)?.flag;
    if (flag === undefined) return undefined;
    return value === null ? `without ${flag}` : `with ${flag} ${value}`;
  });
  const known = changes.filter((change) => change !== undefined);
  return known.length === changes.length ? known.join(", ") : undefined;
}

type Leaf = string | number | boolean | null;

function leavesOf(value: unknown, path: string): readonly (readonly [path: string, value: Leaf])[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return [[path, value]];
  if (typeof value !== "object" || value === null) return [[path, null]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, path === "" ? key : `${path}.${key}`),
  );
}

/** Removes what nobody said. */
function said(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The LlamaDeployment that the flags describe. @throws CommandError (usage) for what the kind refuses */
export function deploymentOf(options: IntentOptions, model: string): LlamaDeployment {
  const { context, concurrency, weights, kvCache, tensor, pipeline, engineVersion } = options;
  const name = model
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^[^a-z]+|-+$/g, "");
  const parsed = parseLlamaDeployment({
    apiVersion: apiGroupVersion,
    kind: "LlamaDeployment",
    metadata: { name: name === "" ? "model" : name },
    spec: {
      model: { name: model },
      context: said({ maxTokens: context, minConcurrency: concurrency }),
      quantization: said({ weights, kvCache }),
      parallelism: said({ tensor, pipeline }),
      ...(engineVersion === undefined ? {} : { engine: { version: engineVersion } }),
    },
  });
  if (parsed.ok) return parsed.object;
  const problems = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
  throw new CommandError(problems, { code: exitCodes.usage });
}
