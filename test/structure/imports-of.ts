// Finds what a source file imports. Sources here are formatted by oxfmt, so that declarations begin a line and
// quotes are double: a few patterns read them exactly, type imports and dynamic ones included, which bundlers drop.

/** One import: what is named, on which line, and whether only its types are used. */
export interface Import {
  readonly specifier: string;
  /** From 1. */
  readonly line: number;
  readonly typeOnly: boolean;
}

const declaration = /^(?<keyword>import|export)(?<clause>[^;"]*?)\sfrom\s"(?<specifier>[^"]+)"/gm;
const sideEffect = /^import\s"(?<specifier>[^"]+)"/gm;
const dynamic = /(?<typeOf>\btypeof\s+)?\bimport\(\s*(?:"(?<specifier>[^"]+)"|(?<computed>[^)]*))/gm;

/** The imports of a source text, in order. A dynamic import of anything but a literal has the specifier `(computed)`. */
export function importsOf(source: string): readonly Import[] {
  const text = withoutComments(source);
  const found: Import[] = [];
  for (const match of text.matchAll(declaration)) {
    const { clause = "", specifier = "" } = match.groups ?? {};
    found.push({ specifier, line: lineAt(text, match.index), typeOnly: isTypeOnly(clause) });
  }
  for (const match of text.matchAll(sideEffect)) {
    found.push({
      specifier: match.groups?.["specifier"] ?? "",
      line: lineAt(text, match.index),
      typeOnly: false,
    });
  }
  for (const match of text.matchAll(dynamic)) {
    // `import("x").Type` in a type position looks like a dynamic import; an `await` or a call tells them apart.
    const specifier = match.groups?.["specifier"] ?? "(computed)";
    const typeOnly =
      match.groups?.["typeOf"] !== undefined ||
      /^\s*\)\s*\.\s*[A-Z]/.test(text.slice(match.index + match[0].length));
    found.push({ specifier, line: lineAt(text, match.index), typeOnly });
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** `import type {…}`, or braces in which every name is a `type`. */
function isTypeOnly(clause: string): boolean {
  if (/^\s+type\b/.test(clause)) return true;
  const names = /^\s*\{(?<names>[^}]*)\}\s*$/.exec(clause)?.groups?.["names"];
  if (names === undefined) return false;
  const entries = names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return entries.length > 0 && entries.every((name) => name.startsWith("type "));
}

/** Blanks out whole-line and block comments, keeping every line where it is. */
function withoutComments(source: string): string {
  return source
    .replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/^\s*\/\/.*$/gm, "");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
