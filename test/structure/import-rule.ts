// Judges every import by the table: pure, so that the rule itself has tests.
import { posix } from "node:path";
import type { Part } from "./import-table.ts";
import { importsOf } from "./imports-of.ts";

/** A source file: its path from the repository's root, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Each broken rule as one sentence: file and line, import, rule. Tests beside sources may import anything. */
export function brokenImports(files: readonly SourceFile[], parts: readonly Part[]): readonly string[] {
  const broken: string[] = [];
  for (const file of files) {
    const part = partOf(file.path, parts);
    if (part === undefined) {
      broken.push(`${file.path}: its folder is not in test/structure/import-table.ts; add a line for it`);
      continue;
    }
    if (file.path.endsWith(".test.ts")) continue;
    for (const { specifier, line, typeOnly } of importsOf(file.text)) {
      const rule = specifier.startsWith(".")
        ? ruleOnOurs(part, posix.join(posix.dirname(file.path), specifier), typeOnly, parts)
        : ruleOnPackage(part, specifier, typeOnly);
      if (rule !== undefined) broken.push(`${file.path}:${line} imports ${specifier}: ${rule}`);
    }
  }
  return broken;
}

function ruleOnOurs(
  part: Part,
  target: string,
  typeOnly: boolean,
  parts: readonly Part[],
): string | undefined {
  const owner = partOf(target, parts);
  if (owner === undefined) return `${target} is in no part of test/structure/import-table.ts`;
  if (target.endsWith(".test.ts")) return "a test is nobody's to import";
  if (owner.path === part.path || part.uses.some((allowed) => isWithin(owner.path, allowed))) {
    return undefined;
  }
  const typesAllowed = part.typesOf?.includes(owner.path) ?? false;
  if (typesAllowed && typeOnly) return undefined;
  if (typesAllowed) return `${part.path} may import types of ${owner.path}, not values`;
  const allowed = [...part.uses, ...(part.typesOf ?? []).map((path) => `types of ${path}`)];
  return `${part.path} may import ${allowed.length === 0 ? "nothing of ours" : allowed.join(", ")}`;
}

function ruleOnPackage(part: Part, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier === "(computed)") return "a path that is computed cannot be judged; import a literal";
  const isFree = typeOnly && !specifier.startsWith("@llama-operator/");
  if (isFree || part.packages.some((allowed) => matches(specifier, allowed))) return undefined;
  const names = part.packages.length === 0 ? "no package" : `only ${part.packages.join(", ")}`;
  return `${part.path} may import ${names}`;
}

function matches(specifier: string, allowed: string): boolean {
  return allowed.endsWith("*") ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed;
}

function partOf(path: string, parts: readonly Part[]): Part | undefined {
  return parts
    .filter((part) => isWithin(path, part.path))
    .toSorted((a, b) => b.path.length - a.path.length)
    .at(0);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
