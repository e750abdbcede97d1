// The demo's few arguments: `npm start -- --keep`.
import { parseArgs } from "node:util";

export type DemoArguments =
  | { readonly action: "run"; readonly keep: boolean }
  | { readonly action: "stop" }
  | { readonly action: "help" }
  | { readonly action: "refuse"; readonly message: string };

export const help = `Usage: npm start [-- --keep | --stop]

Starts a Kubernetes cluster on this machine with simulated H100 nodes, serves Llama 3.1 8B, 70B and 405B on it,
and stops everything again. No container engine, no GPU and no cloud account is needed; Go 1.26 is.

  --keep   leave the cluster and the operator running at the end
  --stop   stop what --keep left running
  --help   this text
`;

/** Reads the arguments after `npm start --`. */
export function parseDemoArguments(argv: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        keep: { type: "boolean" },
        stop: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) return { action: "help" };
    if (values.stop === true && values.keep === true) {
      return { action: "refuse", message: "--keep and --stop exclude each other" };
    }
    return values.stop === true ? { action: "stop" } : { action: "run", keep: values.keep === true };
  } catch (error) {
    return { action: "refuse", message: error instanceof Error ? error.message : String(error) };
  }
}
