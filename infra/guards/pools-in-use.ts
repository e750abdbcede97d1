// Which pools may not go, nor shrink, because models run on them: what the serving stack says of its last `up` against
// what this run would leave. Pure.
import { counted } from "@llama-operator/llama/planning";
import type { PoolRecords } from "./pool-record.ts";
import { poolsThatGo, poolsThatShrink } from "./replacements.ts";
import type { WantedPool } from "./replacements.ts";

/** A model as the serving stack left it. */
export interface ServedModel {
  /** Namespace and name. */
  readonly name: string;
  readonly pool: string;
  /** GPUs of all its replicas. */
  readonly gpus: number;
}

/** A pool that this run wants, as far as models need it. */
export interface Capacity extends WantedPool {
  readonly nodes?: number;
  readonly gpusPerNode?: number;
}

/** Whether this run takes nodes away, so that somebody has to be asked who needs them. */
export const takesNodes = (former: PoolRecords, wanted: readonly Capacity[]): boolean =>
  poolsThatGo(former, wanted).length > 0 || poolsThatShrink(former, wanted).length > 0;

/** The refusal to take nodes away under models, or undefined where no model needs them. */
export function inUseRefusal(
  former: PoolRecords,
  wanted: readonly Capacity[],
  served: readonly ServedModel[],
): string | undefined {
  const on = (pool: string) => served.filter((model) => model.pool === pool);
  const problems = [
    ...poolsThatGo(former, wanted).flatMap((pool) => {
      const models = on(pool);
      return models.length === 0 ? [] : [`  pool ${pool} would go, and ${namesOf(models)} on it`];
    }),
    ...poolsThatShrink(former, wanted).flatMap(({ name, nodes = 0, gpusPerNode = 0 }) => {
      const models = on(name);
      const needed = models.reduce((sum, { gpus }) => sum + gpus, 0);
      const left = nodes * gpusPerNode;
      if (needed <= left) return [];
      return [`  pool ${name} would have ${counted(left, "GPU")}, and ${namesOf(models)} on ${needed} of it`];
    }),
  ];
  if (problems.length === 0) return undefined;
  return [
    "this change would take nodes away under models that run on them; nothing was done",
    ...problems,
    "Bring the serving stack up first: it takes away, or moves, what the configuration has no more. To move a model, write its new pool beside the old one, bring both stacks up, and then take the old one out",
  ].join("\n");
}

const namesOf = (models: readonly ServedModel[]): string =>
  `${models.map(({ name }) => name).join(", ")} ${models.length === 1 ? "runs" : "run"}`;

/** The models in the outputs of a serving stack; what is none is left out. */
export function servedModels(outputs: Readonly<Record<string, unknown>>): readonly ServedModel[] {
  const { models } = outputs;
  if (typeof models !== "object" || models === null) return [];
  return Object.entries(models as Readonly<Record<string, Partial<ServedModel>>>).flatMap(
    ([name, { pool, gpus }]) =>
      typeof pool === "string" && typeof gpus === "number" ? [{ name, pool, gpus }] : [],
  );
}
