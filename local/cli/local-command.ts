// `llama-operator local up|down|status`: a cluster of simulated H100 nodes on this machine, for as long as you like.
// In a checkout only: the shipped program has no cluster to start.
import { Command, InvalidArgumentError } from "commander";
import {
  CommandError,
  outputOption,
  structured,
  table,
  type StructuredFormat,
  type Terminal,
} from "@llama-operator/cli";
import { showBuildProgress } from "../cluster/build/progress.ts";
import { defaultClusterName } from "../cluster/cluster.ts";
import { LocalClusterError } from "../cluster/errors.ts";
import { clusterStatus, stopCluster } from "../cluster/kept.ts";
import { startSimulatedCluster } from "../simulated-cluster.ts";

interface NameOption {
  readonly name: string;
}

export function localCommand(terminal: Terminal): Command {
  return new Command("local")
    .description("A Kubernetes cluster with simulated H100 nodes on this machine")
    .addCommand(upCommand(terminal))
    .addCommand(downCommand(terminal))
    .addCommand(statusCommand(terminal));
}

const named = (command: Command): Command =>
  command.option("--name <name>", "name of the cluster; several can run side by side", defaultClusterName);

function upCommand(terminal: Terminal): Command {
  return named(new Command("up"))
    .description("Start the cluster, with nodes, LeaderWorkerSet and simulated engines, and leave it running")
    .option("--nodes <count>", "how many nodes", parseNodes, 4)
    .option("--machine-shape <name>", "machine of the nodes", "a3-highgpu-8g")
    .option("--speedup <factor>", "how many times faster than real ones engines load", parseFactor, 30)
    .addHelpText(
      "after",
      `
Examples:
  npm run -s llama-operator -- local up
  npm run -s llama-operator -- local up --name eks --machine-shape p5.48xlarge --nodes 2
  npm run -s llama-operator -- local status -o json
  npm run -s llama-operator -- local down`,
    )
    .action(
      async (
        options: NameOption & {
          readonly nodes: number;
          readonly machineShape: string;
          readonly speedup: number;
        },
      ) => {
        const progress = showBuildProgress({
          isTTY: terminal.err.isTerminal,
          write: (text) => terminal.err.write(text),
        });
        const { cluster, proxyUrl } = await explained(async () =>
          startSimulatedCluster({
            name: options.name,
            detached: true,
            nodes: { shape: options.machineShape, count: options.nodes },
            loadSpeedup: options.speedup,
            onEvent: (event) => {
              if (event.kind !== "ready") progress(event);
              else terminal.err.write(`${event.program} ready after ${event.elapsedSeconds.toFixed(1)} s\n`);
            },
            signal: terminal.signal,
          }),
        );
        terminal.out.write(`export KUBECONFIG=${cluster.kubeconfigPath}\nexport http_proxy=${proxyUrl}\n`);
        terminal.err.write(
          `${options.nodes} nodes ${options.machineShape}, and one without GPUs. http_proxy leads to Services by name: curl http://NAME.NAMESPACE.svc/v1/models\n`,
        );
      },
    );
}

function downCommand(terminal: Terminal): Command {
  return named(new Command("down"))
    .description("Stop the cluster and remove all of its state")
    .action(async ({ name }: NameOption) => {
      const stopped = await explained(async () => stopCluster({ name }));
      terminal.err.write(stopped ? `${name} stopped\n` : `${name} is not running\n`);
    });
}

function statusCommand(terminal: Terminal): Command {
  return named(new Command("status"))
    .description("Show the cluster's processes")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async ({ name, output }: NameOption & { readonly output: "table" | StructuredFormat }) => {
      const status = await explained(async () => clusterStatus({ name }));
      if (status === undefined) {
        throw new CommandError(`no local cluster ${name} is running; start it with: local up`);
      }
      if (output !== "table") {
        terminal.out.write(structured(status, output));
        return;
      }
      terminal.out.write(
        table([
          ["PROCESS", "STATE", "PID", "RESTARTS"],
          ...status.processes.map(({ name: process, state, pid, restarts }) => [
            process,
            state,
            pid === undefined ? "-" : String(pid),
            String(restarts),
          ]),
        ]),
      );
      terminal.err.write(`export KUBECONFIG=${status.facts.kubeconfigPath}\n`);
    });
}

/** Local clusters explain themselves; no stack is needed. */
async function explained<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof LocalClusterError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

function parseNodes(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > 250) {
    throw new InvalidArgumentError("A whole number from 0 to 250.");
  }
  return count;
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new InvalidArgumentError("A number above zero.");
}
