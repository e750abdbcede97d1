// `llama-operator version`: what a bug report needs first.
import { Command } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { apiGroupVersion } from "@llama-operator/llama/api";
import { outputOption, structured, table } from "./output.ts";
import type { StructuredFormat } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** Version of this program. */
export const version: string = manifest.version;

export function versionCommand(terminal: Terminal): Command {
  return new Command("version")
    .description("Print the version of this program, its kinds and its runtime")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(({ output }: { readonly output: "table" | StructuredFormat }) => {
      const facts = {
        version,
        apiVersion: apiGroupVersion,
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      terminal.out.write(output === "table" ? table(Object.entries(facts)) : structured(facts, output));
    });
}
