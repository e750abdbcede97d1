// A model of the stack: a LlamaDeployment, and what `pulumi up` waits for.
import { z } from "zod";
import {
  deploymentName,
  deploymentNameRule,
  llamaDeploymentSpec,
  objectName,
} from "@llama-operator/llama/api";
import type { Written } from "./pool.ts";

export const model = z.strictObject({
  name: z
    .string()
    .regex(deploymentName, { error: deploymentNameRule.message })
    .describe("Name of the LlamaDeployment."),
  namespace: objectName
    .default("default")
    .describe("Its namespace: one of `namespaces`, or one that is there."),
  wait: z
    .enum(["ready", "planned"])
    .exactOptional()
    .describe(
      "What `up` waits for: the model answers, or the operator has planned it. `ready`, unless its pool may have no node.",
    ),
  protect: z.boolean().default(false).describe("Refuse to destroy it."),
  spec: llamaDeploymentSpec.describe("Spec of the LlamaDeployment."),
});

/** A model with its defaults, and its spec as it was written. */
export type ModelConfiguration = z.output<typeof model> & { readonly writtenSpec: Written };

export const namespace = z.strictObject({
  name: objectName.describe(
    "Name of a namespace that the stack makes and, with all that is in it, destroys.",
  ),
  labels: z.record(z.string(), z.string()).default({}).describe("Its labels."),
});

export type NamespaceConfiguration = z.output<typeof namespace>;
