// A stack's plan in words for people, and as data for programs. Pure.
import type { StackPlanned } from "./plan-stack.ts";

/** A line for each model and each pool. */
export function describePlan({ models, pools }: StackPlanned): string {
  const lines = [
    ...models.map(
      ({ model, summary, wait }) =>
        `${model.namespace}/${model.name}: ${summary}; up waits until it is ${wait}`,
    ),
    ...pools.map(
      ({ pool, gpusNeeded, gpusAtMost, headroomGpus }) =>
        `pool ${pool}: ${gpusNeeded} of ${gpusAtMost} GPUs needed, ${headroomGpus} left`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The whole plan of each model, what is waited for and how long, and what is left of each pool. */
export function planForPrograms({ models, pools }: StackPlanned): object {
  return {
    models: models.map(({ model, ...planned }) => ({
      namespace: model.namespace,
      name: model.name,
      ...planned,
    })),
    pools,
  };
}
