// The part of a spec that shapes a plan. It is kept beside the plan that was made for it: only as long as it is the same
// does that plan stay, so that a manifest means the same engine whatever was asked for before it.
//
// More is kept than is compared: members are compared as far as this release plans with them, and where they are not at
// their default. So neither a field that a later kind adds nor one that later planning reads makes a wish that was
// stored before another one.
import { canonicalJson } from "../../api/canonical-json.ts";
import { llamaDeploymentSpec, type LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import { structuralSchema } from "../../api/structural-schema.ts";
import { withoutDefaults } from "../../api/without-defaults.ts";
import { plannedFlags } from "./settings.ts";

/** What planning may read of a spec. It comes back from where it was stored, so nothing is promised of its members. */
export type Wish = Readonly<Record<string, unknown>>;

/** Nothing else of a spec shapes a plan: neither how many replicas, nor what else a cluster needs on the pods. */
const members = ["model", "quantization", "context", "parallelism", "placement", "engine"] as const;

const schema = structuralSchema(llamaDeploymentSpec);

/** What to keep beside a plan that is made for this spec. */
export function wishOf(spec: LlamaDeploymentSpec): Wish {
  const { image: _, env: __, ...engine } = spec.engine;
  return { ...Object.fromEntries(members.map((member) => [member, spec[member]])), engine };
}

/** Whether two wishes ask planning for the same. */
export function sameWish(one: Wish, other: Wish): boolean {
  return shapeOf(one) === shapeOf(other);
}

function shapeOf(wish: Wish): string {
  return canonicalJson(withoutDefaults(asPlanned(wish), schema));
}

/** Without what planning does not read. */
function asPlanned({ model, engine, ...wish }: Wish): Wish {
  const args = Object.entries(memberOf(engine, "args")).filter(([flag]) => plannedFlags.has(flag));
  const source = memberOf(model, "source");
  const { tokenSecretRef: _, ...huggingFace } = memberOf(source, "huggingFace");
  const { image: __, env: ___, ...planned } = asObject(engine);
  return {
    ...Object.fromEntries(members.map((member) => [member, wish[member]])),
    model: { ...asObject(model), source: { ...source, huggingFace } },
    engine: { ...planned, args: Object.fromEntries(args) },
  };
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  return asObject(asObject(value)[name]);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
