// What judges of a whole stack are told, and what they answer.
import type { Plan } from "@llama-operator/llama/planning";
import type { ModelConfiguration } from "../config/model.ts";

/** A model and where it runs. */
export interface PlacedModel {
  readonly model: ModelConfiguration;
  readonly plan: Plan;
}

/** A model that cannot run as written, and why. */
export interface RefusedModel {
  readonly model: string;
  readonly message: string;
}

export const nameOf = ({ namespace, name }: ModelConfiguration): string => `${namespace}/${name}`;
