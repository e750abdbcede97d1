// Autonaming as the real provider does it: `<resource>-<8 characters>`, noted in an annotation, so that a replacement
// of an object without a name of its own can be made before the old one goes.

import { createHash, randomBytes } from "node:crypto";

import { isPropertyMap, type PropertyMap, type PropertyValue } from "../protocol/properties.ts";

export const autonamedAnnotation = "pulumi.com/autonamed";

const suffixLength = 8;

/** Stable for a seed, which the engine keeps from preview to update; random without one. */
export function autoname(resourceName: string, seed: Uint8Array): string {
  const bytes = seed.length === 0 ? randomBytes(suffixLength) : createHash("sha256").update(seed).digest();
  return `${resourceName}-${Buffer.from(bytes).toString("hex").slice(0, suffixLength)}`;
}

/** The inputs with a name: their own, that of the old inputs where it was made here, or a new one. */
export function named(
  inputs: PropertyMap,
  oldInputs: PropertyMap | undefined,
  newName: () => string,
): PropertyMap {
  const metadata = inputs["metadata"] ?? {};
  // A name or a whole metadata that is not known yet may still come.
  if (!isPropertyMap(metadata) || metadata["name"] !== undefined || metadata["generateName"] !== undefined) {
    return inputs;
  }
  const oldMetadata = oldInputs?.["metadata"];
  const name = isPropertyMap(oldMetadata) && isAutonamed(oldInputs) ? oldMetadata["name"] : undefined;
  return withName(inputs, metadata, name ?? newName());
}

export function isAutonamed(inputs: PropertyMap | undefined): boolean {
  return annotation(inputs, autonamedAnnotation) === "true";
}

/** An annotation's text; undefined where there is none or it is not known yet. */
export function annotation(object: PropertyMap | undefined, name: string): string | undefined {
  const metadata = object?.["metadata"];
  const annotations = isPropertyMap(metadata) ? metadata["annotations"] : undefined;
  const value = isPropertyMap(annotations) ? annotations[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

function withName(inputs: PropertyMap, metadata: PropertyMap, name: PropertyValue): PropertyMap {
  const annotations = metadata["annotations"] ?? {};
  return {
    ...inputs,
    metadata: {
      ...metadata,
      name,
      ...(isPropertyMap(annotations)
        ? { annotations: { ...annotations, [autonamedAnnotation]: "true" } }
        : {}),
    },
  };
}
