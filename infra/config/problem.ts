// What is wrong with a configuration, as a person reads it.
import type { ManifestProblem } from "@llama-operator/llama/api";

/** Where it is (`pools[0].nodes.max`), what is wrong, and what would be right. */
export type ConfigurationProblem = ManifestProblem;

/** A configuration that cannot be used: all its mistakes. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly ConfigurationProblem[];

  constructor(source: string, problems: readonly ConfigurationProblem[]) {
    const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
    const lines = problems.map(({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`);
    super([`${source} has ${count}; nothing was done`, ...lines].join("\n"));
    this.problems = problems;
  }
}
