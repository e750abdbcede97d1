// The provider's own configuration, as its arguments in the program; what this double does not do is refused.

import { type PropertyMap, Unknown } from "../protocol/properties.ts";
import type { Mutability } from "./replacement.ts";

export interface ProviderConfiguration extends Mutability {
  /** The text of a kubeconfig or a path to one; the environment's when absent. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Of objects that name none; the kubeconfig's when absent. */
  readonly namespace?: string;
  /** Takes an existing object over, where its creation would fail. */
  readonly upsertExistingObjects: boolean;
  /** Lets what is on a cluster that cannot be reached leave the state. */
  readonly deleteUnreachable: boolean;
  readonly enablePatchForce: boolean;
}

const texts = ["kubeconfig", "context", "namespace"] as const;
const switches = [
  "upsertExistingObjects",
  "deleteUnreachable",
  "enableConfigMapMutable",
  "enableSecretMutable",
  "enablePatchForce",
] as const;
/** Known to the real provider and without meaning here. */
const ignored = [
  "clusterIdentifier",
  "cluster",
  "skipUpdateUnreachable",
  "suppressDeprecationWarnings",
  "suppressHelmHookWarnings",
  "helmReleaseSettings",
  "kubeClientSettings",
  "strictMode",
  "version",
  "pluginDownloadURL",
];

/** @throws Error naming every argument that this double cannot honour */
export function providerConfiguration(
  args: PropertyMap,
  environment: Readonly<Record<string, string | undefined>> = {},
): ProviderConfiguration {
  const known: readonly string[] = [...texts, ...switches, ...ignored, "enableServerSideApply"];
  const refused = Object.keys(args).filter((name) => !known.includes(name) && !name.startsWith("__"));
  if (!isSwitchedOn(args["enableServerSideApply"] ?? true)) refused.push("enableServerSideApply: false");
  if (refused.length > 0) {
    throw new Error(`the double of the kubernetes provider does not know: ${refused.join(", ")}`);
  }
  // The argument wins over its variable: PULUMI_K8S_ENABLE_PATCH_FORCE and so on.
  const switched = (name: (typeof switches)[number]): boolean =>
    isSwitchedOn(
      args[name] ??
        environment[`PULUMI_K8S_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`],
    );
  const given = texts.flatMap((name) => {
    const value = args[name];
    return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
  });
  return {
    ...Object.fromEntries(given),
    upsertExistingObjects: switched("upsertExistingObjects"),
    deleteUnreachable: switched("deleteUnreachable"),
    enableConfigMapMutable: switched("enableConfigMapMutable"),
    enableSecretMutable: switched("enableSecretMutable"),
    enablePatchForce: switched("enablePatchForce"),
  };
}

/** Providers' arguments travel as text. */
function isSwitchedOn(value: unknown): boolean {
  return value === true || value === "true";
}

/** Which changed arguments need every object anew: another cluster does; with an identifier only that says so. */
export function replacingArguments(before: PropertyMap, after: PropertyMap): readonly string[] {
  const identifier = "clusterIdentifier";
  if (before[identifier] !== undefined && after[identifier] !== undefined) {
    return before[identifier] === after[identifier] ? [] : [identifier];
  }
  return ["kubeconfig", "context", "cluster"].filter(
    (name) => after[name] instanceof Unknown || before[name] !== after[name],
  );
}
