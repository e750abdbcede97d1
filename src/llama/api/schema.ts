// Building blocks of the kinds: bounded strings, lists and maps, and rules that hold in zod and in CEL alike.
// Every string, list and map has a bound, or the API server's CEL cost estimation refuses the CRD.
import { z } from "zod";

/** A rule across fields, once for zod (the CLI, the tests) and once as CEL (the API server). */
export interface Rule<T> {
  /** CEL over `self`; what the API server evaluates. */
  readonly cel: string;
  /** The same in TypeScript; `true` where the value is fine. */
  readonly holds: (self: T) => boolean;
  /** What is wrong and what to write instead; the same text from kubectl and from the CLI. */
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
      "x-kubernetes-validations": celValidations(rules),
    });
}

/** The CEL side of `rules`, as a schema carries it. */
export function celValidations(
  rules: readonly Pick<Rule<never>, "cel" | "message" | "fieldPath">[],
): readonly { readonly rule: string; readonly message: string; readonly fieldPath?: string }[] {
  return rules.map(({ cel, message, fieldPath }) => ({
    rule: cel,
    message,
    ...(fieldPath === undefined ? {} : { fieldPath }),
  }));
}

/** CEL's literal of a regular expression: raw, so that backslashes stay as they are. */
export function celPattern(pattern: RegExp): string {
  return `r'${patternSource(pattern)}'`;
}

/** The source of a regular expression as RE2 and people write it; JavaScript escapes every slash. */
export function patternSource(pattern: RegExp): string {
  return pattern.source.replaceAll("\\/", "/");
}

/** A non-empty string of at most `maxLength` characters. */
export const text = (maxLength: number) => z.string().min(1).max(maxLength);

/** A string that matches `pattern`, refused with `message` instead of the pattern. */
export const patternText = (maxLength: number, pattern: RegExp, message: string) =>
  withRules(z.string().max(maxLength), [
    { cel: `self.matches(${celPattern(pattern)})`, holds: (self) => pattern.test(self), message },
  ]);

/**
 * A map of at most `maxEntries` entries whose keys match `key`. A CRD has no schema for keys, so the rule is CEL.
 * `rules` are checked after it.
 */
export function boundedMap<V extends z.ZodType<string>>(
  value: V,
  key: { readonly pattern: RegExp; readonly message: string },
  maxEntries: number,
  rules: readonly Rule<Record<string, string>>[] = [],
): z.ZodRecord<z.ZodString, V> {
  const map = z
    .record(z.string(), value)
    .refine((self) => Object.keys(self).length <= maxEntries, {
      error: `must have at most ${maxEntries} items`,
      abort: true,
    })
    .meta({ maxProperties: maxEntries });
  return withRules(map, [
    {
      cel: `self.all(key, key.matches(${celPattern(key.pattern)}))`,
      holds: (self) => Object.keys(self).every((name) => key.pattern.test(name)),
      message: key.message,
    },
    ...rules,
  ]);
}

/** A list of at most `maxItems` objects, no two with the same `key`: merged item by item under server-side apply. */
export function mapList<K extends string, S extends z.ZodType<Readonly<Record<K, string>>>>(
  item: S,
  key: K,
  maxItems: number,
): z.ZodArray<S> {
  return z
    .array(item)
    .max(maxItems)
    .superRefine((self, context) => {
      const seen = new Set<string>();
      self.forEach((entry, index) => {
        const value = entry[key];
        if (seen.has(value)) context.addIssue({ code: "custom", message: "Duplicate value", path: [index] });
        seen.add(value);
      });
    })
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] });
}

/** The name of another object: a DNS subdomain (RFC 1123), none of whose parts is empty. What pods name must be one. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** The same where pods take any text, and run with a name of which there can be no object. */
export const freeName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** Kubernetes' syntax of a label's key: an optional DNS prefix, a slash, a name of at most 63 characters. */
export const labelKeyPattern =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** What {@link labelKeyPattern} does not say beside its bound on length: no part of the prefix is empty. */
const labelPrefixPattern = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[^/]+$/;

const labelKey = {
  pattern: labelKeyPattern,
  message: "keys are an optional DNS prefix, a slash, and a name of at most 63 letters, digits, - _ and .",
};

const wholePrefixes: Rule<Record<string, string>> = {
  cel: `self.all(key, key.matches(${celPattern(labelPrefixPattern)}))`,
  holds: (self) => Object.keys(self).every((key) => labelPrefixPattern.test(key)),
  message: labelKey.message,
};

/** The key of one label or taint. */
export const labelKeyText = withRules(z.string().max(317).regex(labelKeyPattern), [
  {
    cel: `self.matches(${celPattern(labelPrefixPattern)})`,
    holds: (self) => labelPrefixPattern.test(self),
    message: labelKey.message,
  },
]);

/** The value of a label: at most 63 characters. */
export const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

/** A map of labels: at most 32. */
export const labels = boundedMap(labelValue, labelKey, 32, [wholePrefixes]);

const ownPrefix = "llama-operator.dev/";

/** Labels that the operator sets on every pod: selectors rely on them, so that no user may set them. */
const ownLabels = ["app.kubernetes.io/managed-by", "app.kubernetes.io/name", "app.kubernetes.io/instance"];

/** Labels for pods: none of those that the operator or LeaderWorkerSet selects by. */
export const podLabels = boundedMap(labelValue, labelKey, 32, [
  wholePrefixes,
  {
    cel: `self.all(key, !key.startsWith('${ownPrefix}') && !key.startsWith('leaderworkerset.sigs.k8s.io/') && !(key in [${ownLabels.map((label) => `'${label}'`).join(", ")}]))`,
    holds: (self) =>
      Object.keys(self).every(
        (key) =>
          !key.startsWith(ownPrefix) &&
          !key.startsWith("leaderworkerset.sigs.k8s.io/") &&
          !ownLabels.includes(key),
      ),
    message: `the operator sets these labels itself: ${ownPrefix}…, leaderworkerset.sigs.k8s.io/… and ${ownLabels.join(", ")}`,
  },
]);

/** What all annotations of an object may have together, in bytes of keys and values (TotalAnnotationSizeLimitB of Kubernetes). */
const maxAnnotationBytes = 256 * 1024;

const annotationBytes: Rule<Record<string, string>> = {
  cel: `self.map(key, bytes(key).size() + bytes(self[key]).size()).sum() <= ${maxAnnotationBytes}`,
  holds: (self) => Buffer.byteLength(Object.entries(self).flat().join("")) <= maxAnnotationBytes,
  message: `keys and values may have ${maxAnnotationBytes} bytes in all: pods take no more`,
};

/** Annotations for pods: at most 32, each value at most 4096 characters, none of the operator's own. */
export const podAnnotations = boundedMap(z.string().max(4096), labelKey, 32, [
  wholePrefixes,
  annotationBytes,
  {
    cel: `self.all(key, !key.startsWith('${ownPrefix}') && !key.startsWith('leaderworkerset.sigs.k8s.io/'))`,
    holds: (self) =>
      Object.keys(self).every(
        (key) => !key.startsWith(ownPrefix) && !key.startsWith("leaderworkerset.sigs.k8s.io/"),
      ),
    message: `the operator sets these annotations itself: ${ownPrefix}… and leaderworkerset.sigs.k8s.io/…`,
  },
]);

/** The name of an extended resource: a DNS prefix, a slash, a name. */
export const extendedResourcePattern =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A Kubernetes quantity as a string: `"8"`, `"500m"`, `"1900Gi"`. */
export const quantity = z
  .string()
  .max(32)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?$/);

/** A whole number from `minimum` to `maximum`, which fits 32 bits. */
export const int32 = (minimum: number, maximum: number) =>
  z.int().min(minimum).max(maximum).meta({ format: "int32" });

/** A count that the operator writes. */
export const count = int32(0, 2_147_483_647);

/** Bytes or tokens, up to what a JavaScript number holds exactly. */
export const largeCount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: "int64" });

/** A status's view of `metadata.generation`; -1, before the operator has seen the object, keeps kstatus waiting. */
export const observedGeneration = z
  .int()
  .min(-1)
  .meta({ format: "int64" })
  .default(-1)
  .describe("Generation of the spec that this status describes; -1 before the operator has seen the object.");

/** One key of a Secret in the same namespace. The operator never reads it: the kubelet does. */
export const secretKeyReference = z.strictObject({
  name: objectName.describe("Name of the Secret, in the namespace of the LlamaDeployment."),
  key: z
    .string()
    .min(1)
    .max(253)
    // Not "." and nothing that begins with ".." (IsConfigMapKey of Kubernetes): they would be folders.
    .regex(/^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/)
    .describe("Key in the Secret."),
});

/** `metav1.Condition`, a map list by type. */
export const condition = z.strictObject({
  type: text(316).describe("What the condition is about."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: "int64" })
    .exactOptional()
    .describe("Generation of the spec that the condition describes."),
  lastTransitionTime: z.iso.datetime().describe("When status last changed."),
  reason: text(1024).describe("One word for the cause, for programs."),
  message: z.string().max(32768).describe("The cause in words, for people."),
});

/** The conditions of a status, one of each type. */
export const conditions = mapList(condition, "type", 16).describe(
  "What is true of the object now; `Ready` sums it up.",
);

export type Condition = z.output<typeof condition>;
