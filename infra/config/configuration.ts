// The one configuration of a stack, which both projects and the command line read: every mistake at once, with its
// path, before anything is asked of a cluster or registered with Pulumi.
import { z } from "zod";
import { apiServerMessage, manifestProblems } from "../../src/api/validation-messages.ts";
import { crossProblems } from "./checks.ts";
import { cluster } from "./cluster.ts";
import type { ClusterConfiguration } from "./cluster.ts";
import { model, namespace } from "./model.ts";
import type { ModelConfiguration, NamespaceConfiguration } from "./model.ts";
import { leaderWorkerSet, operator } from "./operator.ts";
import type { LeaderWorkerSetConfiguration, OperatorConfiguration } from "./operator.ts";
import { gpuPoolFacts, pool } from "./pool.ts";
import type { PoolConfiguration, Written } from "./pool.ts";
import type { ConfigurationProblem } from "./problem.ts";

/** A stack's configuration with its defaults. */
export interface StackConfiguration {
  readonly cluster: ClusterConfiguration;
  readonly pools: readonly PoolConfiguration[];
  readonly namespaces: readonly NamespaceConfiguration[];
  readonly leaderWorkerSet: LeaderWorkerSetConfiguration;
  readonly operator: OperatorConfiguration;
  readonly models: readonly ModelConfiguration[];
}

export type ParsedConfiguration =
  | { readonly ok: true; readonly configuration: StackConfiguration }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };

const sections = ["cluster", "pools", "namespaces", "leaderWorkerSet", "operator", "models"] as const;

/** Reads a configuration as YAML gave it. */
export function parseConfiguration(value: unknown): ParsedConfiguration {
  const reader = new SectionReader();
  const raw = reader.read(z.record(z.string(), z.unknown()), value, []) ?? {};
  for (const key of Object.keys(raw).filter((each) => !sections.some((section) => section === each))) {
    reader.complain(key, `unknown section; there are ${sections.join(", ")}`);
  }
  const readable = {
    cluster: reader.read(cluster, raw["cluster"], ["cluster"]),
    pools: reader.list(raw["pools"], "pools", (item, path) => {
      const read = reader.read(pool, item, path);
      return read === undefined ? undefined : { ...read, written: gpuPoolSpecOf(item as Written) };
    }),
    namespaces: reader.list(raw["namespaces"] ?? [], "namespaces", (item, path) =>
      reader.read(namespace, item, path),
    ),
    leaderWorkerSet: reader.read(leaderWorkerSet, raw["leaderWorkerSet"] ?? { install: true }, [
      "leaderWorkerSet",
    ]),
    operator: reader.read(operator, raw["operator"] ?? {}, ["operator"]),
    models: reader.list(raw["models"] ?? [], "models", (item, path) => {
      const read = reader.read(model, item, path);
      return read === undefined ? undefined : { ...read, writtenSpec: (item as { spec: Written }).spec };
    }),
  };
  const problems = [...reader.problems, ...crossProblems(readable).filter(({ path }) => !reader.hasAt(path))];
  const { cluster: onto, leaderWorkerSet: lws, operator: by } = readable;
  if (problems.length > 0 || onto === undefined || lws === undefined || by === undefined) {
    return { ok: false, problems };
  }
  return {
    ok: true,
    configuration: {
      cluster: onto,
      leaderWorkerSet: lws,
      operator: by,
      pools: readable.pools.filter((each) => each !== undefined),
      namespaces: readable.namespaces.filter((each) => each !== undefined),
      models: readable.models.filter((each) => each !== undefined),
    },
  };
}

/** The spec of a pool's GpuPool, as written: facts word for word, and what follows from nodes and capacity. */
function gpuPoolSpecOf(written: Written): Written {
  const { nodes, capacity } = written as {
    readonly nodes: { readonly min: number; readonly max: number };
    readonly capacity?: { readonly kind: string };
  };
  return {
    ...Object.fromEntries(Object.entries(written).filter(([key]) => gpuPoolFacts.includes(key))),
    ...(nodes.max > nodes.min ? { nodes: { max: nodes.max } } : {}),
    ...(capacity === undefined ? {} : { capacity: capacity.kind }),
  };
}

/** Reads section by section and keeps what is wrong, so that the first mistake hides none of the others. */
class SectionReader {
  readonly problems: ConfigurationProblem[] = [];

  complain(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  /** Whether a field, or what it lies in, has been complained of: rules across fields have nothing to add then. */
  hasAt(path: string): boolean {
    return this.problems.some((problem) => path === problem.path || path.startsWith(`${problem.path}.`));
  }

  /** What can be read: the value, or the value without the fields that are wrong where the rest has a meaning. */
  read<T>(schema: z.ZodType<T>, value: unknown, path: readonly PropertyKey[]): T | undefined {
    const result = schema.safeParse(value, { error: apiServerMessage });
    if (result.success) return result.data;
    const { issues } = result.error;
    this.problems.push(
      ...manifestProblems(issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))),
    );
    return schema.safeParse(withoutWrongFields(value, issues)).data;
  }

  list<T>(
    value: unknown,
    name: string,
    readItem: (item: unknown, path: readonly PropertyKey[]) => T | undefined,
  ): readonly (T | undefined)[] {
    const items = this.read(z.array(z.unknown()), value, [name]) ?? [];
    return items.map((item, index) => readItem(item, [name, index]));
  }
}

function withoutWrongFields(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const wrong = new Set(
    issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : [issue.path[0]])),
  );
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)));
}
