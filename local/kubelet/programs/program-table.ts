// Which images are programs of this machine: containers of such an image run for real, as processes, where other images
// are simulated. The table is the agent's, one entry a flag: `--program IMAGE=["/path/node","/path/program.ts"]`.

/** By repository, without tag and digest: the command that stands for the image's entrypoint. */
export type ProgramTable = ReadonlyMap<string, readonly string[]>;

/** The command of an image's entrypoint; undefined where the image is none of this machine's programs. */
export function entrypointOf(image: string | undefined, table: ProgramTable): readonly string[] | undefined {
  return table.get((image ?? "").replace(/@.*$/, "").replace(/:[^/:]*$/, ""));
}

/** An entry as the agent's flag. */
export function programFlag(image: string, command: readonly string[]): string {
  return `--program=${image}=${JSON.stringify(command)}`;
}

/** Reads the value of that flag. @throws TypeError with what is wrong */
export function parseProgram(text: string): readonly [image: string, command: readonly string[]] {
  const at = text.indexOf("=");
  const image = text.slice(0, Math.max(0, at));
  let command: unknown;
  try {
    command = JSON.parse(text.slice(at + 1));
  } catch (cause) {
    throw new TypeError("not IMAGE=COMMAND with a JSON list of words", { cause });
  }
  if (image === "" || !isCommand(command)) throw new TypeError("not IMAGE=COMMAND with a JSON list of words");
  return [image, command];
}

function isCommand(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
}
