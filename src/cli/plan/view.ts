// How a plan or a refusal reads on a terminal: the verdict first, then the numbers, then what to do.
import {
  explainMemory,
  explainReasons,
  explainSummary,
  totalBytes,
  type Term,
  contextLength,
  gib,
  thousands,
  type Alternative,
  type Plan,
  type Refusal,
} from "@llama-operator/llama/planning";
import { oneLineYaml } from "../output.ts";
import type { Style } from "../terminal.ts";
import { flagsOfPatch } from "./intent.ts";
import type { EngineCommand, Item, Speed } from "./item.ts";

export type Styler = (style: Style, text: string) => string;

/** What was planned for: the object that a command would name, and where it is written. */
export interface Subject {
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
}

const perSecond = (value: number): string => thousands(Math.floor(value));

function speedLine({ requestTokens, alone, atOnce, together, prompts }: Speed): string {
  return `Speed     at most ${perSecond(alone)} tokens/s for one request of ${contextLength(requestTokens)}, ${perSecond(together)} for ${thousands(atOnce)} at once, ${perSecond(prompts)} of prompts`;
}

function startupLines(startup: NonNullable<Item["startup"]>): readonly string[] {
  const shown = startup.filter(([, seconds]) => seconds > 0);
  return shown.map(
    ([phase, seconds, basis]) => `  ${phase.padEnd(26)}${thousands(seconds).padStart(7)} s   ${basis}`,
  );
}

function commandLines(commands: readonly EngineCommand[]): readonly string[] {
  return commands.flatMap(({ role, image, command }) => {
    const title =
      commands.length === 1 ? `Command, in ${image}` : `Command of each ${role} rank, in ${image}`;
    const [program = "", verb = "", model = "", ...flags] = command;
    return ["", title, `  ${program} ${verb} ${model}`, ...flags.map((flag) => `    ${flag}`)];
  });
}

function termLines(terms: readonly Term[]): readonly string[] {
  const amount = (bytes: number): string => `${gib(bytes).padStart(9)}  ${thousands(bytes)} B`;
  const lines = terms.flatMap(({ name, formula, numbers, bytes, source }) => [
    `  ${name.padEnd(38)}${bytes === undefined ? "" : amount(bytes)}`.trimEnd(),
    `      ${formula}`,
    `      ${numbers}`,
    `      source: ${source}`,
  ]);
  return ["", "Term by term", ...lines, `  ${"sum".padEnd(38)}${amount(totalBytes(terms))}`];
}

/** A plan under its verdict. */
export function planView(item: Item, plan: Plan, style: Styler): string {
  const { namespace, name, speed, startup, commands, terms } = item;
  const verdict = `${style("bold", `${namespace}/${name}`)}: ${style("green", "fits")}\n`;
  const lines = [
    explainSummary(plan),
    ...(speed === undefined ? [] : [speedLine(speed)]),
    "",
    explainMemory(plan),
    ...(startup === undefined ? [] : ["", "Start with nothing cached", ...startupLines(startup)]),
    "",
    explainReasons(plan),
    ...(terms === undefined ? [] : termLines(terms)),
    ...(commands === undefined ? [] : commandLines(commands)),
  ];
  return `${verdict}${indent(lines.join("\n"), 2)}\n`;
}

/** A refusal, with each alternative as what makes it so: flags for flags, else a command or a line of the file. */
export function refusalView(subject: Subject, refusal: Refusal, style: Styler): string {
  const verdict = refusal.waits ? style("yellow", "waits") : style("red", "refused");
  const title = style("bold", `${subject.namespace}/${subject.name}`);
  const head = `${title}: ${verdict} (${refusal.reason})\n  ${refusal.message}\n`;
  if (refusal.alternatives.length === 0) return head;
  const list = refusal.alternatives.map(
    (alternative) =>
      `  - ${alternative.summary}\n${style("cyan", `    ${wayTo(subject, refusal, alternative)}`)}\n`,
  );
  return `${head}  What would run, the cheapest first:\n${list.join("")}`;
}

function wayTo({ source, namespace, name }: Subject, { reason }: Refusal, { patch }: Alternative): string {
  const change = oneLineYaml("spec", patch);
  if (source === "flags") return flagsOfPatch(patch) ?? change;
  // No webhook lets an object of an unknown model in: there is only the file to change.
  if (reason === "UnknownModel") return `in ${source}: ${change}`;
  return `kubectl patch llamadeployment ${name} -n ${namespace} --type merge --patch '${change}'`;
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(columns));
}
