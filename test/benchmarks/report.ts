// The measurements as a table for people and as JSON for machines, with what they were taken on: a number without
// its machine says nothing.
import { execFileSync } from "node:child_process";
import { cpus, totalmem, release } from "node:os";
import { keepsBound, type Measurement } from "./benchmark.ts";

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly kubernetes: string;
  /** Of this project. */
  readonly commit: string;
}

export function describeMachine(kubernetes: string, now: Date): Machine {
  return {
    date: now.toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    kubernetes,
    commit: commit(),
  };
}

function commit(): string {
  try {
    const git = (...args: readonly string[]) =>
      execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "../../src") !== "";
    return `${git("rev-parse", "--short=12", "HEAD")}${changed ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}

/** A Markdown table: readable on a terminal, and as it stands in the documentation. */
export function table(machine: Machine, measurements: readonly Measurement[]): string {
  const rows = measurements.map((measurement) => [
    measurement.benchmark,
    measurement.what,
    `${rounded(measurement.value)} ${measurement.unit}`.trim(),
    bound(measurement),
    keepsBound(measurement) ? "" : "MISSED",
    measurement.detail,
  ]);
  const header = ["benchmark", "measured", "value", "bound", "", "how"];
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const { date, processor, cores, memoryGib, kernel, node, kubernetes } = machine;
  return [
    `${date}, ${cores} cores (${processor}), ${memoryGib} GiB, Linux ${kernel}, Node ${node}, ` +
      `Kubernetes ${kubernetes}, commit ${machine.commit}`,
    "",
    line(header),
    rule,
    ...rows.map(line),
  ].join("\n");
}

function bound({ atMost, below, unit }: Measurement): string {
  if (atMost !== undefined) return `at most ${rounded(atMost)} ${unit}`.trim();
  return below === undefined ? "" : `under ${rounded(below)} ${unit}`.trim();
}

/** Three digits that matter. */
function rounded(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}
