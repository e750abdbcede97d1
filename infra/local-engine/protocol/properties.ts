// Property values as the engine and its plugins exchange them: JSON, in which objects with a signature are more than
// data. Here a secret is a Secret and an unknown value an Unknown, so that no other code knows the signatures.
// They are defined in github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig and .../resource/plugin (rpc.go).

/** Plain data with secrets and unknowns in it. */
export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | Secret
  | Unknown
  | readonly PropertyValue[]
  | PropertyMap;

export interface PropertyMap {
  readonly [name: string]: PropertyValue;
}

/** A value that the state holds encrypted and that is never printed. */
export class Secret {
  readonly value: PropertyValue;

  constructor(value: PropertyValue) {
    this.value = value;
  }
}

/** A value that is known only once another resource exists: only in a preview. */
export class Unknown {
  readonly kind = "unknown";
}

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Reads what the engine has sent. */
export function decodeProperties(json: unknown): PropertyMap {
  const value = decode(json ?? {});
  if (!isPropertyMap(value)) throw new TypeError("properties are no object");
  return value;
}

function decode(json: unknown): PropertyValue {
  if (json === unknownValue) return new Unknown();
  if (Array.isArray(json)) return json.map(decode);
  if (typeof json !== "object" || json === null) return (json ?? null) as PropertyValue;
  const entries = json as Record<string, unknown>;
  switch (entries[signatureKey]) {
    case undefined:
      return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, decode(value)]));
    case secretSignature:
      return new Secret(decode(entries["value"]));
    case outputSignature: {
      const value = "value" in entries ? decode(entries["value"]) : new Unknown();
      return entries["secret"] === true ? new Secret(value) : value;
    }
    default:
      // Assets, archives and references to resources: data that is handed on as it came.
      return entries as PropertyMap;
  }
}

/** What the engine reads. Absent members and members that are undefined are the same. */
export function encodeProperties(value: PropertyValue | undefined): unknown {
  if (value instanceof Secret) {
    return { [signatureKey]: secretSignature, value: encodeProperties(value.value) };
  }
  if (value instanceof Unknown) return unknownValue;
  if (Array.isArray(value)) return value.map(encodeProperties);
  if (!isPropertyMap(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, encodeProperties(inner)]),
  );
}

export function isPropertyMap(value: PropertyValue | undefined): value is PropertyMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

export function isPropertyList(value: PropertyValue | undefined): value is readonly PropertyValue[] {
  return Array.isArray(value);
}

/** The same value with every secret in clear. */
export function withoutSecrets(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return withoutSecrets(value.value);
  if (isPropertyList(value)) return value.map(withoutSecrets);
  if (!isPropertyMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner)]));
}

/** The map in clear, without its nulls: what a resource's arguments mean. */
export function plainMap(value: PropertyMap): PropertyMap {
  return withoutNulls(withoutSecrets(value)) as PropertyMap;
}

function withoutNulls(value: PropertyValue): PropertyValue {
  if (isPropertyList(value)) return value.map(withoutNulls);
  if (!isPropertyMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null && inner !== undefined)
      .map(([name, inner]) => [name, withoutNulls(inner)]),
  );
}

/** Text and numbers as text; empty for everything else. */
export function textOf(value: PropertyValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Whether something in it is not known yet. */
export function hasUnknowns(value: PropertyValue): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return hasUnknowns(value.value);
  if (isPropertyList(value)) return value.some(hasUnknowns);
  return isPropertyMap(value) && Object.values(value).some(hasUnknowns);
}

/** `value` with everything secret that is secret at the same place in `pattern`. */
export function secretsLike(value: PropertyValue, pattern: PropertyValue | undefined): PropertyValue {
  if (pattern instanceof Secret) return value instanceof Secret ? value : new Secret(value);
  if (isPropertyList(value) && isPropertyList(pattern)) {
    return value.map((inner, index) => secretsLike(inner, pattern[index]));
  }
  if (!isPropertyMap(value) || !isPropertyMap(pattern)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, secretsLike(inner, pattern[name])]),
  );
}
