// How a plan or a refusal reads on a terminal: the verdict first, then the numbers, then what to do.
import { explain } from "../../planning/explain.ts";
import type { Alternative, Plan, Refusal } from "../../planning/plan.ts";
import { oneLineYaml } from "../output.ts";
import type { Style } from "../terminal.ts";

export type Styler = (style: Style, text: string) => string;

/** What was planned for: the object that a command would name. */
export interface Subject {
  readonly namespace: string;
  readonly name: string;
}

/** A plan under its verdict. */
export function planView({ namespace, name }: Subject, plan: Plan, style: Styler): string {
  const verdict = `${style("bold", `${namespace}/${name}`)}: ${style("green", "fits")}\n`;
  return `${verdict}${indent(explain(plan), 2)}\n`;
}

/** A refusal, with each alternative as a command that makes it so. */
export function refusalView(subject: Subject, refusal: Refusal, style: Styler): string {
  const verdict = refusal.waits ? style("yellow", "waits") : style("red", "refused");
  const title = style("bold", `${subject.namespace}/${subject.name}`);
  const head = `${title}: ${verdict} (${refusal.reason})\n  ${refusal.message}\n`;
  if (refusal.alternatives.length === 0) return head;
  const list = refusal.alternatives.map((alternative) => alternativeView(subject, alternative, style));
  return `${head}  What would run, the cheapest first:\n${list.join("")}`;
}

function alternativeView(
  { namespace, name }: Subject,
  { summary, patch }: Alternative,
  style: Styler,
): string {
  const options = `-n ${namespace} --type merge --patch '${oneLineYaml("spec", patch)}'`;
  const command = `    kubectl patch llamadeployment ${name} ${options}`;
  return `  - ${summary}\n${style("cyan", command)}\n`;
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(columns));
}
