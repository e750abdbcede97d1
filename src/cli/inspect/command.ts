// `llama-operator inspect`: what a checkpoint is, from its headers, and the `spec.model` that serves it.
import { Command } from "commander";
import { inspect } from "../inspection/inspect.ts";
import type { Inspection, InspectionContext } from "../inspection/inspect.ts";
import { ReadBudget } from "../inspection/reading/read-budget.ts";
import type { Target } from "../inspection/target.ts";
import { CommandError } from "../failure.ts";
import { outputOption, structured } from "../output.ts";
import type { StructuredFormat } from "../output.ts";
import { styler } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import { modelSpecOf, placeholderClaim } from "./model-spec.ts";
import type { ModelSpec } from "./model-spec.ts";
import { connect, targetOf } from "./target.ts";
import type { TargetOptions } from "./target.ts";
import { inspectionView } from "./view.ts";

interface InspectOptions extends TargetOptions {
  readonly output: "table" | StructuredFormat;
}

/** In all, of headers: those of 405B in 191 shards are read in 64 kB each. */
const maxReadBytes = 512_000_000;

export function inspectCommand(terminal: Terminal): Command {
  return new Command("inspect")
    .description("Read a checkpoint's headers, and print its facts and the spec.model that serves it")
    .argument(
      "<target>",
      "a repository on the hub, a folder, a .safetensors or .gguf file, or ollama:<name>:<tag>",
    )
    .option("--revision <revision>", "commit, branch or tag of the repository; main when absent")
    .option("--token-file <file>", "file with a Hugging Face token; else $HF_TOKEN")
    .option("--endpoint <url>", "a mirror of the hub or the registry; for the hub else $HF_ENDPOINT")
    .addOption(outputOption(["table", "json", "yaml"]))
    .addHelpText(
      "after",
      `
Reads config.json and the headers of the weights, by ranges; never the weights. A branch or tag is resolved to the
commit that it is now, and the printed source holds the commit.

Examples:
  llama-operator inspect meta-llama/Llama-3.1-8B-Instruct
  llama-operator inspect some-org/our-llama --revision v2 -o yaml
  llama-operator inspect some-org/our-llama-GGUF/our-llama-Q4_K_M.gguf
  llama-operator inspect ./checkpoints/our-llama
  llama-operator inspect ollama:llama3.1:70b`,
    )
    .action((target: string, options: InspectOptions) => inspectTarget(target, options, terminal));
}

async function inspectTarget(text: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const target = await targetOf(text, options, terminal.env);
  const budget = new ReadBudget(maxReadBytes);
  const { client, close } = await connect(target, options, budget, terminal);
  let inspection: Inspection;
  try {
    inspection = await inspect(target, {
      client,
      budget,
      signal: terminal.signal,
      onProgress: progressOf(terminal),
    });
  } finally {
    await close();
  }
  sayCommit(target, inspection, terminal);
  const spec = modelSpecOf(inspection);
  const notes = notesOn(inspection, spec);
  terminal.out.write(
    options.output === "table"
      ? inspectionView(inspection, spec, notes, styler(terminal.out, terminal.env))
      : structured(documentOf(inspection, spec, notes), options.output),
  );
  const { profile } = inspection.facts;
  if (profile.kind === "none") throw new CommandError(`${text}: ${profile.reason}`);
}

/** A line that is redrawn on a terminal; in a log, one line at the beginning. */
function progressOf({ err }: Terminal): NonNullable<InspectionContext["onProgress"]> {
  return ({ done, total }) => {
    if (total === 1) return;
    if (err.isTerminal)
      err.write(`\rreading headers: ${done} of ${total} files${done === total ? "\n" : ""}`);
    else if (done === 1) err.write(`reading the headers of ${total} files\n`);
  };
}

function sayCommit(target: Target, { origin }: Inspection, terminal: Terminal): void {
  if (target.kind !== "hub" || origin.kind !== "huggingFace" || target.revision === origin.revision) return;
  terminal.err.write(`${target.revision} of ${origin.repository} is commit ${origin.revision}\n`);
}

function notesOn({ origin, facts }: Inspection, spec: ModelSpec | undefined): readonly string[] {
  return [
    ...facts.notes,
    ...(facts.format === "GGUF"
      ? [
          "vLLM loads no GGUF files any more, so that no plan can be made of it: look for the model in safetensors",
        ]
      : []),
    ...(spec !== undefined && origin.kind !== "huggingFace"
      ? [`${placeholderClaim} stands for the PersistentVolumeClaim that holds these files`]
      : []),
  ];
}

/** What `-o json` and `-o yaml` print; fields are added, never changed. */
function documentOf(
  { origin, files, readBytes, facts, known }: Inspection,
  spec: ModelSpec | undefined,
  notes: readonly string[],
): unknown {
  const { profile, notes: _, ...rest } = facts;
  return {
    kind: "Inspection",
    origin,
    files,
    readBytes,
    ...rest,
    ...(known === undefined ? {} : { known }),
    notes,
    ...(profile.kind === "none" ? { noProfile: profile.reason } : {}),
    ...(spec === undefined ? {} : { model: spec }),
  };
}
