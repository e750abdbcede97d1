// Where things lie, after the XDG base directory specification
// (https://specifications.freedesktop.org/basedir-spec/latest/): built programs in the cache, clusters in the state.

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

import { LocalClusterError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// Relative XDG paths are invalid and are ignored, as the specification asks.
function xdgFolder(environment: Environment, variable: string, fallback: string): string {
  const value = environment[variable];
  return value !== undefined && isAbsolute(value) ? value : join(environment["HOME"] ?? homedir(), fallback);
}

/** The folder of the built programs. */
export function cacheFolder(environment: Environment = process.env): string {
  return join(xdgFolder(environment, "XDG_CACHE_HOME", ".cache"), "llama-operator", "programs");
}

/** The folder of one cluster. Refuses a name that is no plain file name. */
export function stateFolder(name: string, environment: Environment = process.env): string {
  return join(xdgFolder(environment, "XDG_STATE_HOME", ".local/state"), "llama-operator", checkedName(name));
}

/** The name, when it can name a cluster. */
export function checkedName(name: string): string {
  if (name.length > 40 || !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw new LocalClusterError(
      "InvalidOptions",
      `cluster name ${JSON.stringify(name)}: use at most 40 lower-case letters, digits and inner hyphens`,
    );
  }
  return name;
}
