// What the API server does with objects of one kind beyond storing them. Tests of what uses a client need none of it;
// a simulated cluster states it for each of its kinds.
import type { KubeObject, Live } from "../client/object.ts";

export interface KindRules {
  /** Status is a subresource: writes of the object leave it as it is, writes of status leave the rest. */
  readonly statusSubresource?: boolean;
  /** A new object keeps the status that it comes with: Nodes alone. */
  readonly statusOnCreate?: boolean;
  /** `metadata.generation` counts changes of anything but metadata and status. */
  readonly generation?: boolean;
  /** A deletion waits this many seconds for the controller that runs the object; 0 and undefined remove it at once. */
  readonly graceSeconds?: (object: Live<KubeObject>) => number | undefined;
  /**
   * Defaults, mutating webhooks and validation, in this order.
   * @param live what is stored; undefined for a new object
   * @throws ApiError for what the server would refuse
   */
  readonly admit?: (object: KubeObject, live: Live<KubeObject> | undefined) => KubeObject;
}

/** Rules by `plural.group`, as `resourceName` writes it. */
export type RulesOfKinds = Readonly<Record<string, KindRules>>;
