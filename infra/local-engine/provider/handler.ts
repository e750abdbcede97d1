// What the engine asks of a provider about one resource, freed of the wire: the objects of the API server and Helm's
// releases each answer it in their own way.

import type { PropertyMap } from "../protocol/properties.ts";
import type { Difference } from "./differences.ts";

interface ResourceCall {
  readonly urn: string;
  /** Such as `kubernetes:core/v1:Secret`. */
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  /** Aborted when the engine gives up. */
  readonly signal: AbortSignal;
}

export interface CheckCall extends ResourceCall {
  readonly inputs: PropertyMap;
  /** Absent for a resource that is new or about to be replaced. */
  readonly oldInputs: PropertyMap | undefined;
  readonly seed: Uint8Array;
}

export interface DiffCall extends ResourceCall {
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly oldInputs: PropertyMap;
  readonly state: PropertyMap;
}

export interface CreateCall extends ResourceCall {
  readonly inputs: PropertyMap;
  readonly preview: boolean;
  /** 0 where the program sets none. */
  readonly timeoutSeconds: number;
}

export interface UpdateCall extends CreateCall {
  readonly id: string;
  readonly state: PropertyMap;
}

export interface ReadCall extends ResourceCall {
  readonly id: string;
  /** Empty for a resource that is imported or looked up. */
  readonly state: PropertyMap;
}

export interface DeleteCall extends ResourceCall {
  readonly id: string;
  readonly state: PropertyMap;
  readonly timeoutSeconds: number;
}

export interface Diff {
  readonly differences: readonly Difference[];
  /** Those of them that need a new resource. */
  readonly replacing: readonly Difference[];
  readonly deleteBeforeReplace: boolean;
}

export interface Made {
  /** Empty in a preview. */
  readonly id: string;
  readonly properties: PropertyMap;
}

export interface ResourceHandler {
  check(call: CheckCall): Promise<PropertyMap>;
  diff(call: DiffCall): Promise<Diff>;
  create(call: CreateCall): Promise<Made>;
  /** Undefined where it is gone. */
  read(
    call: ReadCall,
  ): Promise<{ readonly inputs: PropertyMap; readonly properties: PropertyMap } | undefined>;
  update(call: UpdateCall): Promise<PropertyMap>;
  delete(call: DeleteCall): Promise<void>;
}

/** In a preview, and for a resource that is made: nothing of it is known but what was asked. */
export function notMadeYet(inputs: PropertyMap): Made {
  return { id: "", properties: inputs };
}
