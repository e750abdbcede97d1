// Builds the programs of a local cluster from Go modules, each once, into the cache. A built program is a
// folder `<name>-<key>` that appears whole, by a rename, or not at all; a changed module makes a new one.

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";

import { parseAllDocuments } from "yaml";

import { LocalClusterError } from "../errors.ts";
import { cacheFolder } from "../configuration/paths.ts";
import { buildKey } from "./build-key.ts";
import { takeBuildLock } from "./build-lock.ts";
import { findGo, type GoToolchain } from "./go-toolchain.ts";
import { type ProgramName, type ProgramRecipe, programRecipes } from "./programs.ts";

/** What a build tells its caller; `position` counts from 1 to `total`, the programs that were missing. */
export type BuildEvent =
  | { readonly kind: "waiting"; readonly holderPid: number }
  | {
      /** At the start of each program and every second of its build. */
      readonly kind: "building" | "built";
      readonly program: string;
      readonly position: number;
      readonly total: number;
      readonly elapsedSeconds: number;
    };

/** The folder of each built program; it holds the executable under the program's own name, and its files. */
export type BuiltPrograms = Readonly<Record<ProgramName, string>>;

export interface BuildOptions {
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: cacheFolder(). */
  readonly cacheDir?: string;
  /** Default: "go", found on the PATH. */
  readonly goCommand?: string;
}

interface Target {
  readonly recipe: ProgramRecipe<string>;
  readonly directory: string;
}

/** How much of the compiler's output an error carries. */
const tailLines = 30;

/** Builds the programs of a local cluster, as buildRecipes does. */
export async function buildPrograms(options: BuildOptions = {}): Promise<BuiltPrograms> {
  return buildRecipes(programRecipes, options);
}

/**
 * Builds what the cache lacks. Safe beside other processes that do the same: one builds, the others wait.
 * @throws LocalClusterError GoMissing, GoTooOld, BuildFailed with the end of the compiler's output
 */
export async function buildRecipes<Name extends string>(
  recipes: readonly ProgramRecipe<Name>[],
  options: BuildOptions = {},
): Promise<Readonly<Record<Name, string>>> {
  const { onEvent = () => {}, signal, cacheDir = cacheFolder(), goCommand = "go" } = options;
  const first = recipes[0];
  if (first === undefined) {
    throw new LocalClusterError("InvalidOptions", "there is no program to build");
  }
  const go = await findGo(goCommand, first.moduleDir, signal);
  const targets: Target[] = [];
  for (const recipe of recipes) {
    targets.push({ recipe, directory: join(cacheDir, `${recipe.name}-${await buildKey(recipe, go)}`) });
  }
  if ((await missing(targets)).length > 0) {
    await mkdir(cacheDir, { recursive: true });
    const lockName = createHash("sha256").update(cacheDir).digest("hex").slice(0, 16);
    await using _lock = await takeBuildLock(
      lockName,
      (holderPid) => onEvent({ kind: "waiting", holderPid }),
      signal,
    );
    await removeUnfinished(cacheDir);
    // The process that held the lock before may have built them.
    const wanted = await missing(targets);
    for (const [index, target] of wanted.entries()) {
      const report = (kind: "building" | "built", elapsedSeconds: number) =>
        onEvent({
          kind,
          program: target.recipe.name,
          position: index + 1,
          total: wanted.length,
          elapsedSeconds,
        });
      await buildOne(target, go, report, signal);
    }
  }
  return Object.fromEntries(targets.map(({ recipe, directory }) => [recipe.name, directory])) as Readonly<
    Record<Name, string>
  >;
}

async function missing(targets: readonly Target[]): Promise<readonly Target[]> {
  const found = await Promise.all(
    targets.map(({ directory }) =>
      stat(directory).then(
        () => true,
        () => false,
      ),
    ),
  );
  return targets.filter((_, index) => found[index] === false);
}

const unfinishedPrefix = ".building-";

// Only the holder of the lock builds, so that every unfinished folder is what a killed build left.
async function removeUnfinished(cacheDir: string): Promise<void> {
  const names = await readdir(cacheDir);
  for (const name of names.filter((found) => found.startsWith(unfinishedPrefix))) {
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

async function buildOne(
  { recipe, directory }: Target,
  go: GoToolchain,
  report: (kind: "building" | "built", elapsedSeconds: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const elapsedSeconds = () => (performance.now() - began) / 1000;
  const unfinished = join(directory, "..", `${unfinishedPrefix}${basename(directory)}`);
  await mkdir(unfinished);
  report("building", 0);
  const ticker = setInterval(() => report("building", elapsedSeconds()), 1000);
  try {
    const stamps = Object.entries(recipe.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
    await runGo(
      recipe,
      [
        "build",
        "-trimpath",
        "-buildvcs=false",
        `-ldflags=${["-s", "-w", ...stamps].join(" ")}`,
        "-o",
        join(unfinished, recipe.name),
        recipe.package,
      ],
      go,
      signal,
    );
    await convertModuleFiles(recipe, unfinished, go);
    await rename(unfinished, directory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    clearInterval(ticker);
  }
  report("built", elapsedSeconds());
}

async function runGo(
  recipe: ProgramRecipe<string>,
  args: readonly string[],
  go: GoToolchain,
  signal?: AbortSignal,
): Promise<void> {
  const output: string[] = [];
  const ended = await new Promise<number | string | null>((resolve, reject) => {
    const child = spawn(go.command, args, {
      cwd: recipe.moduleDir,
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
      stdio: ["ignore", "pipe", "pipe"],
      // Go passes an interrupt on to its compilers and removes its work folder.
      killSignal: "SIGINT",
      signal,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output.push(text);
      });
    }
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve(code ?? killedBy));
  });
  if (ended !== 0) {
    const tail = output.join("").trimEnd().split("\n").slice(-tailLines).join("\n");
    throw new LocalClusterError(
      "BuildFailed",
      `${recipe.name} could not be built with ${go.version} in ${recipe.moduleDir} (${ended}):\n${tail}`,
    );
  }
}

/** YAML manifests are kept as JSON lists of their documents: to parse a megabyte of YAML takes seconds. */
async function convertModuleFiles(
  recipe: ProgramRecipe<string>,
  into: string,
  go: GoToolchain,
): Promise<void> {
  if (recipe.files === undefined) {
    return;
  }
  const { stdout } = await promisify(execFile)(
    go.command,
    ["list", "-m", "-f", "{{.Dir}}", recipe.files.ofModule],
    {
      cwd: recipe.moduleDir,
    },
  );
  for (const path of recipe.files.paths) {
    const documents = parseAllDocuments(await readFile(join(stdout.trim(), path), "utf8"));
    const objects = documents
      .map((document) => document.toJS() as unknown)
      .filter((object) => object !== null);
    await writeFile(join(into, `${basename(path, ".yaml")}.json`), JSON.stringify(objects));
  }
}
