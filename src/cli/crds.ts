// `llama-operator crds`: the kinds as the API server needs them, for people who install without the chart.
import { Command } from "commander";
import { customResourceDefinitions } from "@llama-operator/llama/api";
import { outputOption, structuredList } from "./output.ts";
import type { StructuredFormat } from "./output.ts";
import type { Terminal } from "./terminal.ts";

export function crdsCommand(terminal: Terminal): Command {
  return new Command("crds")
    .description("Print the CustomResourceDefinitions of LlamaDeployment and GpuPool")
    .addOption(outputOption(["yaml", "json"]))
    .addHelpText(
      "after",
      `
Examples:
  llama-operator crds | kubectl apply --server-side --field-manager=helm -f -
  llama-operator crds -o json | jq '.items[].metadata.name'`,
    )
    .action(({ output }: { readonly output: StructuredFormat }) => {
      terminal.out.write(structuredList(customResourceDefinitions(), output));
    });
}
