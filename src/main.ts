#!/usr/bin/env node
// The shipped program: the one place that reads the process's arguments and environment, and that exits.
import { buildProgram, runProgram } from "./cli/program.ts";
import { processTerminal } from "./cli/terminal.ts";

const terminal = processTerminal(process);
process.exitCode = await runProgram(buildProgram(terminal), process.argv.slice(2), terminal);
