// The command line of the Pulumi projects: `npm run infra -- up --stack local`.
import { runProgram } from "../src/cli/program.ts";
import { processTerminal } from "../src/cli/terminal.ts";
import { infraProgram } from "./cli/commands.ts";

const terminal = processTerminal(process);
process.exitCode = await runProgram(infraProgram(terminal), process.argv.slice(2), terminal);
