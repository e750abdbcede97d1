// Values of Pulumi's own configuration (`Pulumi.<stack>.yaml`, `pulumi config set`, ESC) for the sections of a stack, under
// the namespace `llama-operator`: they lie over the stack's file, and may be all of it.
//
// The rule: a mapping is laid over key by key, everything else replaces what the file has, lists as a whole.
//
// Secrets of Pulumi's are for the chart's values (`operator.values`): everything else ends in the clear, in plans, outputs
// and objects of the cluster. What of those values comes this way is kept a secret, whether Pulumi was told or not.
import type { ConfigurationProblem } from "./problem.ts";
import { sections } from "./sections.ts";

/** Namespace of the values in Pulumi's configuration. */
export const configurationNamespace = "llama-operator";

export interface Overlay {
  /** The file to read instead of the stack's own, relative to the project. */
  readonly file?: string;
  /** By section; empty where Pulumi's configuration has none. */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigurationProblem[];
}

export const noOverlay: Overlay = { sections: {}, problems: [] };

/** A value of Pulumi's configuration. */
export interface ConfigValue {
  /** What was written: structure, or text that is JSON. */
  readonly value: unknown;
  /** Whether it, or something in it, is a secret of Pulumi's. */
  readonly secret: boolean;
}

/** Reads the values of the namespace, by their key in it. */
export function overlayOf(values: Readonly<Record<string, ConfigValue>>): Overlay {
  const problems: ConfigurationProblem[] = [];
  const read: Record<string, unknown> = {};
  const { configuration, ...others } = values;
  for (const [key, { value, secret }] of Object.entries(others)) {
    const path = `${configurationNamespace}:${key}`;
    if (!sections.some((section) => section === key)) {
      const known = ["configuration", ...sections].join(", ");
      problems.push({ path, message: `unknown key of Pulumi's configuration; there are ${known}` });
    } else if (secret && key !== "operator") {
      problems.push({
        path,
        message:
          "a secret of Pulumi's would end in the clear here: only operator.values may hold one. For the rest make a Secret, and name it in the model's spec",
      });
    } else {
      const structure = structureOf(value);
      if (structure === undefined) {
        problems.push({ path, message: "no structure: set it with --path, or as JSON" });
      } else read[key] = structure;
    }
  }
  const file = configuration?.value;
  return { ...(typeof file === "string" ? { file } : {}), sections: read, problems };
}

/** Undefined for text that is no JSON. */
function structureOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lays values over those of a file. What is no mapping there stays, for the reader to complain of. */
export function laidOver(file: unknown, over: Mapping): unknown {
  if (file === undefined || file === null) return over;
  if (!isMapping(file)) return file;
  const merged = Object.entries(over).map(([key, value]): [string, unknown] => [
    key,
    isMapping(value) ? laidOverValue(file[key], value) : value,
  ]);
  return { ...file, ...Object.fromEntries(merged) };
}

const laidOverValue = (under: unknown, over: Mapping): unknown =>
  isMapping(under) ? laidOver(under, over) : over;

const secretPath = "operator.values";

/** Whether Pulumi's configuration gives values of the chart. */
export function hasChartValues({ sections: given }: Overlay): boolean {
  const { operator } = given;
  return isMapping(operator) && operator["values"] !== undefined;
}

/** Problems as they may be shown: of the chart's values only where they are, since a message may hold what is wrong. */
export function shownProblems(
  overlay: Overlay,
  problems: readonly ConfigurationProblem[],
): readonly ConfigurationProblem[] {
  if (!hasChartValues(overlay)) return problems;
  return problems.map((problem) =>
    problem.path === secretPath || problem.path.startsWith(`${secretPath}.`)
      ? { ...problem, message: "is wrong; what comes by Pulumi's configuration is not shown" }
      : problem,
  );
}
