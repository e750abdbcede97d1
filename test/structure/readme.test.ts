// What the README tells people to type must exist: its npm scripts, its files.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "./source-files.ts";

const documents = ["README.md", "CONTRIBUTING.md"];
const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

const textOf = (document: string) => readFileSync(join(repositoryRoot, document), "utf8");

test.each(documents)("every npm command in %s is a script of package.json", (document) => {
  const scripts = [...textOf(document).matchAll(/\bnpm (?:run (?:-s )?(\w[\w:-]*)|(start|test)\b)/g)].map(
    ([, run, lifecycle]) => run ?? lifecycle ?? "",
  );
  expect(scripts.length).toBeGreaterThan(0);
  expect(scripts.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
});

test.each(documents)("every file that %s links to exists", (document) => {
  const links = [...textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path ?? "");
  expect(links.filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
});

test("the README shows the commands that tests and CI run", () => {
  expect(textOf("README.md")).toContain("npm ci && npm start");
  expect(textOf("README.md")).toContain("npm ci && npm test");
  expect(textOf(".ci/run")).toMatch(/npm ci\n[\s\S]*npm run check\n[\s\S]*npm test\n/);
});
