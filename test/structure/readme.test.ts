// What the README and the other pages tell people to type and to open must exist: npm scripts, files.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

const pages = globSync(["*.md", "{docs,infra}/**/*.md"], {
  cwd: repositoryRoot,
  exclude: (path) => path.includes("node_modules"),
});

test.each(pages)("every file that %s links to exists", (page) => {
  // Regular expressions in code look like links.
  const text = textOf(page).replaceAll(/`[^`\n]*`/g, "");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path ?? "");
  const from = join(repositoryRoot, dirname(page));
  expect(links.filter((path) => !existsSync(join(from, path)))).toEqual([]);
});

test("every page of docs/decisions stands in its index", () => {
  const index = textOf("docs/decisions/README.md");
  const decisions = globSync("docs/decisions/*.md", { cwd: repositoryRoot })
    .map((path) => path.slice("docs/decisions/".length))
    .filter((name) => name !== "README.md");
  expect(decisions.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

test("the README shows the commands that tests and CI run", () => {
  expect(textOf("README.md")).toContain("npm ci && npm start");
  expect(textOf("README.md")).toContain("npm ci && npm test");
  expect(textOf(".ci/run")).toMatch(/npm ci\n[\s\S]*npm run check\n[\s\S]*npm test\n/);
});
