// The chart's objects as `helm template` would print them, without Helm.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import { type Scope, Templates } from "./template.ts";

const chart = fileURLToPath(new URL("../../../charts/llama-operator", import.meta.url));

export interface Release {
  readonly name: string;
  readonly namespace: string;
  /** Merged into the chart's values. */
  readonly values?: Scope;
}

export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** In this order Helm creates kinds. Source: InstallOrder in pkg/release/v1/util/kind_sorter.go of helm/helm. */
const installOrder = [
  "ServiceAccount",
  "ConfigMap",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "Service",
  "Deployment",
  "ValidatingWebhookConfiguration",
];

/** Every object of a release, in the order of their creation. @throws Error in the chart's words where a value is missing */
export async function renderChart<T extends ChartObject>(release: Release): Promise<readonly T[]> {
  const scope = await scopeOf(release);
  const templates = new Templates();
  const files = (await readdir(join(chart, "templates"), { recursive: true })).sort();
  const read = async (file: string) => readFile(join(chart, "templates", file), "utf8");
  for (const file of files.filter((name) => name.endsWith(".tpl"))) templates.define(await read(file));
  const objects: T[] = [];
  for (const file of files.filter((name) => name.endsWith(".yaml"))) {
    const text = templates.render(await read(file), scope);
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as T | null;
      if (object !== null) objects.push(object);
    }
  }
  return objects.toSorted((a, b) => installOrder.indexOf(a.kind) - installOrder.indexOf(b.kind));
}

async function scopeOf({ name, namespace, values = {} }: Release): Promise<Scope> {
  const read = async (file: string) => parse(await readFile(join(chart, file), "utf8")) as Scope;
  const about = Object.entries(await read("Chart.yaml"));
  return {
    Release: { Name: name, Namespace: namespace, Service: "Helm" },
    Chart: Object.fromEntries(
      about.map(([key, value]) => [`${key[0]?.toUpperCase()}${key.slice(1)}`, value]),
    ),
    Values: merged(await read("values.yaml"), values),
  };
}

/** As Helm merges values: maps by key, everything else whole. */
function merged(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const entries = Object.entries(over).map(([key, value]) => [
    key,
    key in base ? merged(base[key], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(entries) };
}

function isMap(value: unknown): value is Scope {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
