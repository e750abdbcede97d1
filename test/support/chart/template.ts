// Go's template language as far as this project's chart goes: if, with, range, else, define, include, and the few
// functions that it calls. Whatever else a template says is an error, so that nothing is rendered wrong in silence.
import { createHash } from "node:crypto";
import { stringify } from "yaml";

/** What a template reads by `.Values.x`, `.Release.Name` and so on. */
export type Scope = Readonly<Record<string, unknown>>;

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: string }
  | { readonly kind: "define"; readonly name: string; readonly body: readonly Part[] }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipe: string;
      readonly body: readonly Part[];
      readonly otherwise: readonly Part[];
    };

interface Context {
  readonly dot: unknown;
  /** `$` */
  readonly root: unknown;
}

/** Templates of one chart: what one defines, all can include. */
export class Templates {
  readonly #defined = new Map<string, readonly Part[]>();

  /** Takes the `define`s of a file. */
  define(text: string): void {
    for (const part of parse(text)) if (part.kind === "define") this.#defined.set(part.name, part.body);
  }

  /** @throws Error where the template says something unknown */
  render(text: string, scope: Scope): string {
    return this.#write(parse(text), { dot: scope, root: scope });
  }

  #write(parts: readonly Part[], context: Context): string {
    return parts.map((part) => this.#writePart(part, context)).join("");
  }

  #writePart(part: Part, context: Context): string {
    if (part.kind === "text") return part.text;
    if (part.kind === "define") return "";
    const value = this.#pipe(part.pipe, context);
    if (part.kind === "print") return print(value);
    if (isEmpty(value)) return this.#write(part.otherwise, context);
    if (part.kind === "if") return this.#write(part.body, context);
    const dots = part.kind === "with" ? [value] : (value as readonly unknown[]);
    return dots.map((dot) => this.#write(part.body, { ...context, dot })).join("");
  }

  /** Commands joined by `|`: each gets the value of the one before as its last argument. */
  #pipe(text: string, context: Context): unknown {
    let piped: readonly unknown[] = [];
    for (const [command] of text.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^|"])+/g)) {
      const [first = "", ...words] = [...command.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) => word);
      const args = [...words.map((word) => operand(word, context)), ...piped];
      piped = [/^[a-zA-Z]\w*$/.test(first) ? this.#call(first, args) : operand(first, context)];
    }
    return piped[0];
  }

  #call(name: string, args: readonly unknown[]): unknown {
    const [first, second] = args;
    switch (name) {
      case "include": {
        const parts = this.#defined.get(String(first));
        if (parts === undefined) throw new Error(`no template is named ${String(first)}`);
        return this.#write(parts, { dot: second, root: second });
      }
      case "nindent":
        return `\n${print(second).replaceAll(/^(?=.)/gm, " ".repeat(Number(first)))}`;
      case "contains":
        return print(second).includes(print(first));
      case "printf":
        return args.slice(1).reduce<string>((text, value) => text.replace("%s", print(value)), print(first));
      case "quote":
        return JSON.stringify(print(first));
      case "sha256sum":
        return createHash("sha256").update(print(first)).digest("hex");
      case "trimSuffix":
        return print(second).endsWith(print(first)) ? print(second).slice(0, -print(first).length) : second;
      case "trunc":
        return print(second).slice(0, Number(first));
      case "toYaml":
        return stringify(first, { lineWidth: 0 }).trimEnd();
      default:
        throw new Error(`the template calls ${name}, which this renderer lacks`);
    }
  }
}

function operand(word: string, { dot, root }: Context): unknown {
  if (word.startsWith('"')) return JSON.parse(word) as unknown;
  if (/^-?\d+$/.test(word)) return Number(word);
  const [, start, path = ""] = /^(\$|(?=\.))((?:\.\w+)*)\.?$/.exec(word) ?? [];
  if (start === undefined)
    throw new Error(`the template says ${word}, which this renderer does not understand`);
  return path
    .split(".")
    .slice(1)
    .reduce<unknown>((value, key) => (value as Scope | undefined)?.[key], start === "$" ? root : dot);
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === "" || value === 0;
}

function print(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new Error("the template prints a value that is not given, or no plain one");
}

/** Texts and actions, nested by their `end`s. `{{-` and `-}}` take the white space beside them away. */
function parse(text: string): readonly Part[] {
  const tokens = text
    .replaceAll(/\s*\{\{-/g, "{{")
    .replaceAll(/-\}\}\s*/g, "}}")
    .split(/(\{\{[\s\S]*?\}\})/);
  let next = 0;
  const body = (closers: readonly string[]): { readonly parts: readonly Part[]; readonly closer: string } => {
    const parts: Part[] = [];
    while (next < tokens.length) {
      const token = tokens[next++] ?? "";
      if (!token.startsWith("{{")) {
        parts.push({ kind: "text", text: token });
        continue;
      }
      const action = token.slice(2, -2).trim();
      const [word = ""] = action.split(/\s/, 1);
      if (closers.includes(action)) return { parts, closer: action };
      if (action.startsWith("/*")) continue;
      if (word === "if" || word === "with" || word === "range") {
        const pipe = action.slice(word.length).trim();
        const then = body(["else", "end"]);
        const otherwise = then.closer === "else" ? body(["end"]).parts : [];
        parts.push({ kind: word, pipe, body: then.parts, otherwise });
      } else if (word === "define") {
        const name = /"(.*)"/.exec(action)?.[1] ?? "";
        parts.push({ kind: word, name, body: body(["end"]).parts });
      } else parts.push({ kind: "print", pipe: action });
    }
    if (closers.length > 0) throw new Error("an action of the template has no end");
    return { parts, closer: "" };
  };
  return body([]).parts;
}
