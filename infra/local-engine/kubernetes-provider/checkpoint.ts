// What the state keeps of an object: the live object as the resource's outputs, with the inputs that made it beside
// them under the real provider's own names, so that the next change can be told from what the server has added.

import {
  isPropertyList,
  isPropertyMap,
  type PropertyMap,
  type PropertyValue,
  secretsLike,
} from "../protocol/properties.ts";

const inputsKey = "__inputs";
const fieldManagerKey = "__fieldManager";
const initialApiVersionKey = "__initialApiVersion";

/** Of the API server alone: pulumi-kubernetes drops them from inputs too. */
const readOnlyMetadata = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

export function checkpoint(inputs: PropertyMap, live: PropertyMap, fieldManager: string): PropertyMap {
  const metadata = live["metadata"];
  const outputs = isPropertyMap(metadata)
    ? { ...live, metadata: without(metadata, ["managedFields"]) }
    : live;
  // The server turns a Secret's stringData into data.
  const pattern =
    inputs["kind"] === "Secret" && inputs["stringData"] !== undefined
      ? { ...inputs, data: inputs["data"] ?? inputs["stringData"] }
      : inputs;
  return {
    ...(secretsLike(withUnderscores(outputs), pattern) as PropertyMap),
    [inputsKey]: withUnderscores(inputs),
    [initialApiVersionKey]: inputs["apiVersion"] ?? "",
    [fieldManagerKey]: fieldManager,
  };
}

/** The inputs of a state in clear is the caller's to make: secrets are kept. */
export function checkpointInputs(state: PropertyMap): PropertyMap {
  const inputs = state[inputsKey];
  return isPropertyMap(inputs) ? withDashes(inputs) : {};
}

/** The live object of a state. */
export function checkpointLive(state: PropertyMap): PropertyMap {
  return withDashes(without(state, [inputsKey, fieldManagerKey, initialApiVersionKey]));
}

export function checkpointFieldManager(state: PropertyMap): string | undefined {
  const name = state[fieldManagerKey];
  return typeof name === "string" ? name : undefined;
}

/** Inputs without what only the server may say. */
export function withoutReadOnly(inputs: PropertyMap): PropertyMap {
  const metadata = inputs["metadata"];
  return isPropertyMap(metadata) ? { ...inputs, metadata: without(metadata, readOnlyMetadata) } : inputs;
}

/**
 * Inputs as a later look at the object would state them: where the live object has changed since it was recorded, they
 * hold its value now. What the server normalizes or never shows again is no change.
 */
export function driftedInputs(inputs: PropertyMap, recorded: PropertyMap, live: PropertyMap): PropertyMap {
  return drifted(inputs, recorded, live) as PropertyMap;
}

function drifted(
  input: PropertyValue,
  recorded: PropertyValue | undefined,
  live: PropertyValue | undefined,
): PropertyValue | undefined {
  if (isPropertyMap(input) && isPropertyMap(recorded) && isPropertyMap(live)) {
    const kept = Object.entries(input).flatMap(([name, inner]) => {
      const value = drifted(inner, recorded[name], live[name]);
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(kept);
  }
  return JSON.stringify(recorded) === JSON.stringify(live) ? input : live;
}

function without(map: PropertyMap, names: readonly string[]): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

// TypeScript's types of a CRD write x_kubernetes_… where Kubernetes writes x-kubernetes-….
const withDashes = (map: PropertyMap): PropertyMap =>
  renamed(map, (name) =>
    name.startsWith("x_kubernetes_") ? name.replaceAll("_", "-") : name,
  ) as PropertyMap;

const withUnderscores = (map: PropertyMap): PropertyMap =>
  renamed(map, (name) =>
    name.startsWith("x-kubernetes-") ? name.replaceAll("-", "_") : name,
  ) as PropertyMap;

function renamed(value: PropertyValue, name: (name: string) => string): PropertyValue {
  if (isPropertyList(value)) return value.map((inner) => renamed(inner, name));
  if (!isPropertyMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), renamed(inner, name)]));
}

/** Inputs as the API server names their fields. */
export const asSent = withDashes;
