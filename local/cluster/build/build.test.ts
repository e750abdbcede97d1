import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildEvent, buildRecipes } from "./build.ts";
import type { ProgramRecipe } from "./programs.ts";

// A stand-in for Go: it counts its builds, "compiles" main.go by copying it, and fails on the word `wrong`.
const fakeGo = `#!/bin/sh
case "$1" in
  env) echo '{"GOVERSION":"go1.99","GOOS":"linux","GOARCH":"amd64"}' ;;
  list) echo "$PWD/dependency" ;;
  build)
    echo build >> "$PWD/../builds"
    if grep -q wrong main.go; then
      echo "main.go:1: something is wrong" >&2
      exit 1
    fi
    while [ "$1" != "-o" ]; do shift; done
    cp main.go "$2" ;;
esac
`;

let directory: string;
let cacheDir: string;
let goCommand: string;
let recipes: readonly ProgramRecipe[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "build-"));
  cacheDir = join(directory, "cache");
  goCommand = join(directory, "go");
  await writeFile(goCommand, fakeGo);
  await chmod(goCommand, 0o755);
  recipes = await Promise.all(
    (["supervisor", "kwok"] as const).map(async (name) => {
      const moduleDir = join(directory, name);
      await mkdir(moduleDir);
      await writeFile(join(moduleDir, "main.go"), `${name}\n`);
      return { name, moduleDir, package: ".", stamps: {} };
    }),
  );
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const timesBuilt = async () => (await readFile(join(directory, "builds"), "utf8")).trim().split("\n").length;

test("each program is built once and found in the cache afterwards", async () => {
  const first = await buildRecipes(recipes, { cacheDir, goCommand });
  const second = await buildRecipes(recipes, { cacheDir, goCommand });
  expect(second).toEqual(first);
  expect(await readFile(join(first.kwok, "kwok"), "utf8")).toBe("kwok\n");
  expect(await timesBuilt()).toBe(2);
});

test("a changed module is built again, and only that one", async () => {
  const before = await buildRecipes(recipes, { cacheDir, goCommand });
  await writeFile(join(directory, "kwok", "main.go"), "kwok, changed\n");
  const after = await buildRecipes(recipes, { cacheDir, goCommand });
  expect(after.supervisor).toBe(before.supervisor);
  expect(after.kwok).not.toBe(before.kwok);
  expect(await timesBuilt()).toBe(3);
});

test("the caller is told what is built and how many there are", async () => {
  const events: BuildEvent[] = [];
  await buildRecipes(recipes, { cacheDir, goCommand, onEvent: (event) => events.push(event) });
  expect(
    events.map((event) =>
      event.kind === "waiting" ? event.kind : [event.kind, event.program, event.position, event.total],
    ),
  ).toEqual([
    ["building", "supervisor", 1, 2],
    ["built", "supervisor", 1, 2],
    ["building", "kwok", 2, 2],
    ["built", "kwok", 2, 2],
  ]);
});

test("two builds at once build each program once", async () => {
  const [one, other] = await Promise.all([
    buildRecipes(recipes, { cacheDir, goCommand }),
    buildRecipes(recipes, { cacheDir, goCommand }),
  ]);
  expect(one).toEqual(other);
  expect(await timesBuilt()).toBe(2);
});

test("a failed build says what the compiler said and leaves nothing in the cache", async () => {
  await writeFile(join(directory, "kwok", "main.go"), "wrong\n");
  const built = buildRecipes(
    recipes.filter(({ name }) => name === "kwok"),
    { cacheDir, goCommand },
  );
  await expect(built).rejects.toMatchObject({
    code: "BuildFailed",
    message: expect.stringMatching(
      /^kwok could not be built with go1\.99 in .*main\.go:1: something is wrong$/s,
    ),
  });
  expect(await readdir(cacheDir)).toEqual([]);
});

test("what a killed build left behind is removed by the next one", async () => {
  await mkdir(join(cacheDir, ".building-kwok-0123456789abcdef"), { recursive: true });
  await buildRecipes(recipes, { cacheDir, goCommand });
  expect((await readdir(cacheDir)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("manifests of a dependency lie beside the program as JSON lists", async () => {
  const dependency = join(directory, "kwok", "dependency");
  await mkdir(dependency);
  await writeFile(join(dependency, "crds.yaml"), "---\nkind: A\n---\nkind: B\n");
  const [, kwok] = recipes as readonly [ProgramRecipe, ProgramRecipe];
  const built = await buildRecipes(
    [{ ...kwok, files: { ofModule: "example.com/dependency", paths: ["crds.yaml"] } }],
    { cacheDir, goCommand },
  );
  expect(JSON.parse(await readFile(join(built.kwok, "crds.json"), "utf8"))).toEqual([
    { kind: "A" },
    { kind: "B" },
  ]);
});

test("without Go the error is one sentence that says what to install and what works without it", async () => {
  const built = buildRecipes(recipes, { cacheDir, goCommand: join(directory, "no-such-go") });
  await expect(built).rejects.toMatchObject({
    code: "GoMissing",
    message: expect.stringMatching(/^[^\n]*install Go 1\.26 or newer[^\n]*KUBECONFIG[^\n]*\.$/),
  });
});

test("a Go that refuses the modules is told from a missing one, by its own message", async () => {
  await writeFile(
    goCommand,
    '#!/bin/sh\necho "go: go.mod requires go >= 1.26.0 (running go 1.21.3)" >&2\nexit 1\n',
  );
  await expect(buildRecipes(recipes, { cacheDir, goCommand })).rejects.toMatchObject({
    code: "GoTooOld",
    message: expect.stringMatching(/^[^\n]*needs Go 1\.26[^\n]*running go 1\.21\.3[^\n]*\.$/),
  });
});
