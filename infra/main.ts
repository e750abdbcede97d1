// The command line of the Pulumi projects: `npm run infra -- up --stack local`.
import { runProgram, processTerminal } from "@llama-operator/cli";
import { infraProgram } from "./cli/commands.ts";

const terminal = processTerminal(process);
process.exitCode = await runProgram(infraProgram(terminal), process.argv.slice(2), terminal);
