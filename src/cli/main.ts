#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=20 --liftoff-only
// The shipped program: the one place that reads the process's arguments and environment, and that exits.
// The flags above keep its memory small: V8 would rather have 200 MB of garbage than collect it, and would spend 25 MB
// on optimising the HTTP parser. Run the file itself, not `node` on it, to have them.
import { buildProgram, runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

const terminal = processTerminal(process);
process.exitCode = await runProgram(buildProgram(terminal), process.argv.slice(2), terminal);
