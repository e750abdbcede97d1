// Rules across fields, and against the catalog. Each judges what could be read, so that one unreadable part hides no
// mistake in another; each message says what to write instead.
import { findGpu, findMachineShape } from "@llama-operator/llama/catalog";
import { counted } from "@llama-operator/llama/planning";
import { clouds, isCloud } from "../clouds/clouds.ts";
import type { StackConfiguration } from "./stack-configuration.ts";
import { measuredOverheadsPath, readMeasuredOverheads } from "./operator.ts";
import type { PoolConfiguration, Written } from "./pool.ts";
import type { ConfigurationProblem } from "./problem.ts";
import { volumeClassProblems } from "./volume-checks.ts";

/** What could be read of a configuration: elements that could not are absent, the others keep their index. */
export interface ReadableParts {
  readonly platform: StackConfiguration["platform"] | undefined;
  readonly pools: readonly (PoolConfiguration | undefined)[];
  readonly allowReplace: readonly (string | undefined)[];
  readonly namespaces: readonly (StackConfiguration["namespaces"][number] | undefined)[];
  readonly volumes: readonly (StackConfiguration["volumes"][number] | undefined)[];
  readonly models: readonly (StackConfiguration["models"][number] | undefined)[];
  readonly operator: StackConfiguration["operator"] | undefined;
}

/** `written` names pools that could not be read for another reason than their name. */
export function crossProblems(parts: ReadableParts, written: Written): readonly ConfigurationProblem[] {
  const { platform, pools, namespaces, volumes, models, operator } = parts;
  const named = namedPools(written);
  return [
    ...duplicates("pools", named, ({ name }) => name),
    ...unknownPools(parts.allowReplace, named),
    ...duplicates("namespaces", namespaces, ({ name }) => name),
    ...duplicates("volumes", volumes, ({ namespace, name }) => `${namespace}/${name}`),
    ...(platform !== undefined && isCloud(platform.kind)
      ? volumeClassProblems(volumes, clouds[platform.kind].storage)
      : []),
    ...duplicates("models", models, ({ namespace, name }) => `${namespace}/${name}`),
    ...pools.flatMap((pool, index) =>
      pool === undefined ? [] : poolProblems(pool, `pools[${index}]`, platform),
    ),
    ...(operator === undefined ? [] : operatorProblems(operator, platform, parts)),
    ...(operator === undefined ? [] : overheadProblems(operator)),
  ];
}

function duplicates<T>(
  list: string,
  items: readonly (T | undefined)[],
  keyOf: (item: T) => string,
): readonly ConfigurationProblem[] {
  const seen = new Map<string, number>();
  return items.flatMap((item, index) => {
    if (item === undefined) return [];
    const key = keyOf(item);
    const first = seen.get(key);
    seen.set(key, first ?? index);
    if (first === undefined) return [];
    return [
      { path: `${list}[${index}].name`, message: `${key} is ${list}[${first}] already: names are unique` },
    ];
  });
}

/** Every pool that has a name, in its place. */
function namedPools({ pools }: Written): readonly ({ readonly name: string } | undefined)[] {
  if (!Array.isArray(pools)) return [];
  return pools.map((each: { readonly name?: unknown } | null) =>
    typeof each?.name === "string" ? { name: each.name } : undefined,
  );
}

function unknownPools(
  allowed: ReadableParts["allowReplace"],
  pools: readonly ({ readonly name: string } | undefined)[],
): readonly ConfigurationProblem[] {
  const names = pools.flatMap((each) => (each === undefined ? [] : [each.name]));
  return allowed.flatMap((name, index) =>
    name === undefined || names.includes(name)
      ? []
      : [
          {
            path: `allowReplace[${index}]`,
            message: `no pool is named ${name}: write one of ${names.join(", ")}, or leave it out`,
          },
        ],
  );
}

function poolProblems(
  pool: PoolConfiguration,
  path: string,
  platform: ReadableParts["platform"],
): readonly ConfigurationProblem[] {
  return [...hardwareProblems(pool, path), ...capacityProblems(pool, path, platform)];
}

function hardwareProblems(
  { gpu, machineShape }: PoolConfiguration,
  path: string,
): readonly ConfigurationProblem[] {
  const shape = machineShape === undefined ? undefined : findMachineShape(machineShape);
  if (shape === undefined) return [];
  const problems: ConfigurationProblem[] = [];
  if (findGpu(shape.gpu) !== findGpu(gpu.product)) {
    problems.push({ path: `${path}.gpu.product`, message: `${shape.name} has ${shape.gpu}: write that` });
  }
  if (gpu.perNode > shape.gpusPerNode) {
    problems.push({
      path: `${path}.gpu.perNode`,
      message: `${shape.name} has ${counted(shape.gpusPerNode, "GPU")}: write ${shape.gpusPerNode}`,
    });
  }
  return problems;
}

function capacityProblems(
  { capacity, nodes }: PoolConfiguration,
  path: string,
  platform: ReadableParts["platform"],
): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (platform?.kind === "local" && capacity.kind !== "onDemand") {
    problems.push({
      path: `${path}.capacity.kind`,
      message: `${capacity.kind} asks a cloud for nodes, and those of the local cluster are simulated and there at once: write onDemand`,
    });
  }
  // GKE's queued node pools start empty: a request brings their nodes.
  if (capacity.kind === "queued" && nodes.min > 0) {
    problems.push({
      path: `${path}.nodes.min`,
      message: "a queued pool has no node until one is asked for: write 0",
    });
  }
  return problems;
}

function operatorProblems(
  { image, values, namespace }: StackConfiguration["operator"],
  platform: ReadableParts["platform"],
  { namespaces }: ReadableParts,
): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (image === undefined && platform !== undefined && platform.kind !== "local") {
    problems.push({
      path: "operator.image",
      message: "required: the operator's image, such as registry.example.com/llama-operator:0.1.0",
    });
  }
  const stated = values["operator"];
  if (typeof stated === "object" && stated !== null) {
    for (const field of ["image", "replicas"].filter((each) => each in stated)) {
      problems.push({
        path: `operator.values.operator.${field}`,
        message: `write it as operator.${field}: one value in two places would be two truths`,
      });
    }
  }
  if (namespaces.some((each) => each?.name === namespace)) {
    problems.push({
      path: "operator.namespace",
      message: `${namespace} is among namespaces: the operator makes its own, leave it out there`,
    });
  }
  return problems;
}

/** With such a list no operator starts, and no model would be planned as the preview says. */
function overheadProblems(operator: StackConfiguration["operator"]): readonly ConfigurationProblem[] {
  const read = readMeasuredOverheads(operator);
  if (read.ok) return [];
  return read.problems.map(({ path, message }) => ({ path: `${measuredOverheadsPath}${path}`, message }));
}
