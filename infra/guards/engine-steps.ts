// What Pulumi's own engine says that a run would do to the pools of GPU nodes: read from the steps of `pulumi preview
// --json`, where what a provider decides by itself, and what follows from another resource, is decided already. Pure.
import { counted } from "@llama-operator/llama/planning";

/** A step of `pulumi preview --json`: github.com/pulumi/pulumi/pkg/v3/display/json.go, PreviewStep. */
interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  /** What of the resource makes it anew. */
  readonly replaceReasons?: readonly string[];
}

export type PoolEffect = "made" | "replaced" | "deleted" | "changed in place";

/** What happens to a pool that is not left alone. */
export interface PoolStep {
  readonly pool: string;
  readonly effect: PoolEffect;
  /** Fields that make it anew. */
  readonly reasons: readonly string[];
}

/** Every cloud's component of a pool has this name; its node pool, group or agent pool is called as the pool is. */
const poolResource = /::llama-operator:[a-z]+:GpuNodePool\$[^:]+:[^:]+:(NodePool|NodeGroup|AgentPool)::(.+)$/;

/** Effects of a pool's operations, the worst first: a replacement comes as three of them. */
const effects: readonly (readonly [effect: PoolEffect, ops: readonly string[]])[] = [
  ["replaced", ["replace", "create-replacement", "delete-replaced"]],
  ["deleted", ["delete"]],
  ["made", ["create", "import"]],
  ["changed in place", ["update"]],
];

/** The pools that a preview would not leave alone. @throws SyntaxError where the text is no preview */
export function poolSteps(preview: string): readonly PoolStep[] {
  const { steps = [] } = JSON.parse(preview) as { readonly steps?: readonly PreviewStep[] };
  const byPool = new Map<string, PreviewStep[]>();
  for (const step of steps) {
    const pool = poolResource.exec(step.urn)?.[2];
    if (pool !== undefined) byPool.set(pool, [...(byPool.get(pool) ?? []), step]);
  }
  return [...byPool].flatMap(([pool, own]) => {
    const found = effects.find(([, ops]) => own.some(({ op }) => ops.includes(op)));
    if (found === undefined) return [];
    const reasons = [...new Set(own.flatMap(({ replaceReasons = [] }) => replaceReasons))];
    return [{ pool, effect: found[0], reasons }];
  });
}

/** A line for people about each of them, with the nodes that a configured pool may have. */
export function describePoolSteps(
  steps: readonly PoolStep[],
  pools: readonly { readonly name: string; readonly nodes?: number }[],
): readonly string[] {
  return steps.map(({ pool, effect, reasons }) => {
    const most = pools.find(({ name }) => name === pool)?.nodes;
    const size = most === undefined ? "" : `, up to ${counted(most, "node")}`;
    return `pool ${pool}${size}: ${effect}${reasons.length === 0 ? "" : ` for ${reasons.join(", ")}`}`;
  });
}

/** Why a run may not go on: replacements that `allowReplace` does not name. */
export function replacementRefusal(
  steps: readonly PoolStep[],
  allowReplace: readonly string[],
): string | undefined {
  const refused = steps.filter(({ pool, effect }) => effect === "replaced" && !allowReplace.includes(pool));
  if (refused.length === 0) return undefined;
  const allowed = [...allowReplace, ...refused.map(({ pool }) => pool)].join(", ");
  return [
    `Pulumi would replace ${counted(refused.length, "GPU pool")}; nothing was done`,
    ...describePoolSteps(refused, []).map((line) => `  ${line}`),
    `A replaced pool gives its nodes back, and gets new ones only where there is capacity. Undo the change, or write allowReplace: [${allowed}]`,
  ].join("\n");
}
