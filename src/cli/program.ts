// Puts the commands together and runs one: the one place where a command is registered and where errors end.
import { Command } from "commander";
import { completionCommand } from "./completion.ts";
import { crdsCommand } from "./crds.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { explainFailure } from "./failure.ts";
import { inspectCommand } from "./inspect/command.ts";
import { overheadsCommand } from "./overheads/command.ts";
import { planCommand } from "./plan/command.ts";
import { poolsCommand } from "./pools/command.ts";
import { runCommand } from "./run.ts";
import { styler } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";
import { versionCommand } from "./version.ts";

/** The whole command line; `more` adds commands of a checkout that the shipped program lacks. */
export function buildProgram(terminal: Terminal, more: readonly Command[] = []): Command {
  const program = new Command("llama-operator")
    .description("Serves Llama models on H100 nodes: plans, runs and scales them on Kubernetes.")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", exitCodeHelp);
  const commands = [
    runCommand(terminal),
    planCommand(terminal),
    inspectCommand(terminal),
    crdsCommand(terminal),
    poolsCommand(terminal),
    overheadsCommand(terminal),
    versionCommand(terminal),
    ...more,
  ];
  for (const command of commands) program.addCommand(command);
  program.addCommand(completionCommand(terminal, program));
  connect(program, terminal);
  return program;
}

/** Runs the command of `argv` (without node and script) and returns the exit code; prints what went wrong. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    const { code, message } = explainFailure(error);
    if (message !== "") {
      terminal.err.write(`${styler(terminal.err, terminal.env)("red", "error:")} ${message}\n`);
    }
    if (program.opts<{ debug?: boolean }>().debug === true && error instanceof Error) {
      terminal.err.write(`${error.stack ?? ""}\n`);
      if (error.cause instanceof Error) terminal.err.write(`caused by ${error.cause.stack ?? ""}\n`);
    }
    return code;
  }
}

/** Commander passes these settings only to commands that it makes itself. */
function connect(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(`See "${pathOf(command)} --help".`);
  for (const child of command.commands) connect(child, terminal);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

const exitCodeHelp = `
Exit codes:
  ${exitCodes.ok}  done
  ${exitCodes.error}  failed
  ${exitCodes.usage}  wrong arguments or files: nothing was tried
  ${exitCodes.refused}  plan: a LlamaDeployment cannot run as written
  ${exitCodes.cluster}  the API server cannot be reached or does not let us in`;
