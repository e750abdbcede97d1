// Building blocks of the kinds: bounded strings, lists and maps, and rules that hold in zod and in CEL alike.
// Every string, list and map has a bound, or the API server's CEL cost estimation refuses the CRD.
import { z } from "zod";

/** A rule across fields, once for zod (the CLI, the tests) and once as CEL (the API server). */
export interface Rule<T> {
  /** CEL over `self`; what the API server evaluates. */
  readonly cel: string;
  /** The same in TypeScript; `true` where the value is fine. */
  readonly holds: (self: T) => boolean;
  /** What is wrong and what to write instead; the same words from kubectl and from the CLI. */
  readonly message: string;
  /** JSON path, relative to `self`, of the field to blame: `.tensor`. */
  readonly fieldPath?: string;
}

/** Attaches `rules` to `schema`: as a zod check and as `x-kubernetes-validations`. Must be the outermost call. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const meta = schema.meta() ?? {};
  return schema
    .superRefine((value, context) => {
      for (const rule of rules) {
        if (rule.holds(value)) continue;
        const path = rule.fieldPath?.split(".").filter((part) => part !== "") ?? [];
        context.addIssue({ code: "custom", message: rule.message, path });
      }
    })
    .meta({
      ...meta,
      "x-kubernetes-validations": rules.map(({ cel, message, fieldPath }) => ({
        rule: cel,
        message,
        ...(fieldPath === undefined ? {} : { fieldPath }),
      })),
    });
}

/** A non-empty string of at most `maxLength` characters. */
export const text = (maxLength: number) => z.string().min(1).max(maxLength);

/** The name of another object: a DNS subdomain (RFC 1123). */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** Kubernetes' label syntax: an optional DNS prefix, a slash, a name of at most 63 characters. */
const labelKey = z
  .string()
  .max(317)
  .regex(/^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

/** A map of labels: at most 32. */
export const labels = z.record(labelKey, labelValue).meta({ maxProperties: 32 });

/** A map of annotations: at most 32, each value at most 4096 characters. */
export const annotations = z.record(labelKey, z.string().max(4096)).meta({ maxProperties: 32 });

/** A Kubernetes quantity as a string: `"8"`, `"500m"`, `"1900Gi"`. */
export const quantity = z
  .string()
  .max(32)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?$/);

/** One key of a Secret in the same namespace. The operator never reads it: the kubelet does. */
export const secretKeyReference = z.strictObject({
  name: objectName.describe("Name of the Secret, in the namespace of the LlamaDeployment."),
  key: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/)
    .describe("Key in the Secret."),
});

/** `metav1.Condition`, a map list by type. */
export const condition = z.strictObject({
  type: text(316),
  status: z.enum(["True", "False", "Unknown"]),
  observedGeneration: z.int().min(0).meta({ format: "int64" }).optional(),
  lastTransitionTime: z.iso.datetime(),
  reason: text(1024),
  message: z.string().max(32768),
});

export const conditions = z
  .array(condition)
  .max(16)
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });

export type Condition = z.output<typeof condition>;
export type SecretKeyReference = z.output<typeof secretKeyReference>;
