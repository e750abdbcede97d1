// The public names of @llama-operator/cli. Other parts can import these and nothing else.
export { exitCodes } from "./exit-codes.ts";
export { CommandError } from "./failure.ts";
export { type StructuredFormat, outputOption, structured, table } from "./output.ts";
export { buildProgram, runProgram } from "./program.ts";
export { type Terminal, processTerminal } from "./terminal.ts";
