// Finds the Go that builds the programs, and says in one sentence what to do when there is none.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { LocalClusterError } from "../errors.ts";

export interface GoToolchain {
  /** Such as "go", found on the PATH. */
  readonly command: string;
  /** Such as "go1.26.8". */
  readonly version: string;
  /** Such as "linux/amd64". */
  readonly platform: string;
}

/** Go's release that the tool modules ask for in their go.mod files. */
export const neededGo = "1.26";

const otherwise =
  "or point KUBECONFIG at a cluster of your own and run the operator there with `npm run llama-operator -- run`, which needs no Go";

/**
 * Asks the Go command for the toolchain that it would use in `moduleDir`, which may be newer than the installed one.
 * @throws LocalClusterError GoMissing, GoTooOld
 */
export async function findGo(command: string, moduleDir: string, signal?: AbortSignal): Promise<GoToolchain> {
  try {
    const { stdout } = await promisify(execFile)(command, ["env", "-json", "GOVERSION", "GOOS", "GOARCH"], {
      cwd: moduleDir,
      signal,
    });
    const answer = JSON.parse(stdout) as Record<"GOVERSION" | "GOOS" | "GOARCH", string>;
    return { command, version: answer.GOVERSION, platform: `${answer.GOOS}/${answer.GOARCH}` };
  } catch (cause) {
    signal?.throwIfAborted();
    throw goError(cause);
  }
}

/** Go is missing where it cannot be started, and too old where it refuses to read a module. */
export function goError(cause: unknown): LocalClusterError {
  if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
    return new LocalClusterError(
      "GoMissing",
      `The local cluster is built from source with Go, which is not on the PATH: install Go ${neededGo} or newer (https://go.dev/dl), ${otherwise}.`,
      { cause },
    );
  }
  const stderr = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
  return new LocalClusterError(
    "GoTooOld",
    `The local cluster needs Go ${neededGo} or newer (it says: ${stderr.split("\n").at(-1)}): install it (https://go.dev/dl), ${otherwise}.`,
    { cause },
  );
}
