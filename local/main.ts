// The command line of a checkout: the shipped one, with `local` added. `npm run llama-operator` runs it.
import { buildProgram, runProgram, processTerminal } from "@llama-operator/cli";
import { localCommand } from "./cli/local-command.ts";

const terminal = processTerminal(process);
const program = buildProgram(terminal, [localCommand(terminal)]);
process.exitCode = await runProgram(program, process.argv.slice(2), terminal);
