// The clouds that a stack can be on: a line each. The types of a stack's platform follow from this table.
import type { z } from "zod";
import { aksRules } from "./aks/config/rules.ts";
import type { CloudRules } from "./cloud-rules.ts";
import { eksRules } from "./eks/config/rules.ts";
import { gkeRules } from "./gke/config/rules.ts";

export const clouds = {
  eks: eksRules,
  gke: gkeRules,
  aks: aksRules,
} as const satisfies Readonly<Record<string, CloudRules>>;

export type CloudKind = keyof typeof clouds;

/** A cluster that a cloud makes, with its pools, as the stack's configuration has them. */
export type CloudPlatform<K extends CloudKind = CloudKind> = {
  readonly [Kind in K]: {
    readonly kind: Kind;
    readonly cluster: z.output<(typeof clouds)[Kind]["cluster"]>;
    readonly pools: readonly z.output<(typeof clouds)[Kind]["pool"]>[];
  };
}[K];

export const isCloud = (kind: unknown): kind is CloudKind =>
  typeof kind === "string" && Object.hasOwn(clouds, kind);
