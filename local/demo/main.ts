// `npm start`: reads the arguments, catches signals, and turns what happened into an exit code.
import { LocalClusterError } from "../cluster/errors.ts";
import { help, parseDemoArguments } from "./arguments.ts";
import { runDemo, stopDemo } from "./demo.ts";
import { Screen } from "./screen.ts";

const exitInterrupted = { SIGINT: 130, SIGTERM: 143 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseDemoArguments(argv);
  const screen = new Screen({ output: process.stdout, env: process.env, now: () => performance.now() });
  switch (parsed.action) {
    case "help":
      process.stdout.write(help);
      return 0;
    case "refuse":
      process.stderr.write(`error: ${parsed.message}\n\n${help}`);
      return 2;
    case "stop":
      if (!(await stopDemo(screen))) screen.line("nothing is running");
      return 0;
    case "run":
      return runUntilSignal(screen, parsed.keep);
    default:
      return parsed satisfies never;
  }
}

async function runUntilSignal(screen: Screen, keep: boolean): Promise<number> {
  const stopping = new AbortController();
  let received: keyof typeof exitInterrupted | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    // Once: a second Ctrl-C ends this process at once, and the supervisor then ends the others.
    process.once(name, () => {
      received = name;
      stopping.abort(new Error(name));
    });
  }
  try {
    await runDemo({ keep, screen, signal: stopping.signal });
    return 0;
  } catch (error) {
    screen.endStream();
    if (received !== undefined) {
      screen.line("interrupted; everything that was started has been stopped");
      return exitInterrupted[received];
    }
    process.stderr.write(`\nerror: ${explain(error)}\n`);
    return 1;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof LocalClusterError) || error.code !== "InUse") return error.message;
  return `${error.message}; npm start -- --stop ends it`;
}

process.exitCode = await main(process.argv.slice(2));
