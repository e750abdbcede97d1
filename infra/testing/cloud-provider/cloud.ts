// What a cloud is to its double: one table of resource types and functions, written from the real provider's schema and
// the cloud's documentation. Everything else (the protocol, names, diffs, records, faults, nodes) is the same for all
// clouds and lies beside this file. To add a type, add an entry to the table of its cloud; nothing else changes.

import type { PropertyMap, PropertyValue } from "../../local-engine/protocol/properties.ts";
import type { NodeGroup } from "./node-group.ts";

/** A cloud's table: gcp.ts, aws.ts, azure-native.ts. */
export interface CloudTable {
  /** The package: `gcp`. */
  readonly name: string;
  /** The version of the real provider that the table is written after. */
  readonly version: string;
  /** Arguments of the provider itself whose change needs every resource anew: `project`. */
  readonly replacingArguments: readonly string[];
  /** By Pulumi type: `gcp:container/nodePool:NodePool`. A type that is not here is refused. */
  readonly resources: Readonly<Record<string, CloudResource>>;
  /** By token: `gcp:compute/getReservation:getReservation`. A function that is not here is refused. */
  readonly functions: Readonly<Record<string, CloudFunction>>;
}

/** One type of resource. All inputs come in clear and without nulls. */
export interface CloudResource {
  /** Inputs without which the real provider refuses before it asks the cloud. */
  readonly required: readonly string[];
  /** Set by the real provider where the program says nothing; part of the inputs, and so of diffs. */
  readonly defaults?: PropertyMap;
  /**
   * The input that names the resource: made up (`<resource>-<hex>`) where the program gives none, as the real provider
   * does. Absent where the cloud itself makes the id.
   */
  readonly nameInput?: string;
  /**
   * The resource's id. A second creation with the id of one that is there is refused: by this, fixed names make doubles
   * impossible. `serial` is a number that no other resource of the cloud has, for ids that the cloud makes.
   */
  id(inputs: PropertyMap, cloud: CloudView, serial: number): string;
  /** What the cloud says to a second creation of the same id. Absent where that is no error: the old one is taken. */
  conflict?(id: string): string;
  /**
   * Input paths whose change needs a new resource: ForceNew of the Terraform provider, or `willReplaceOnChanges` of
   * azure-native's metadata. `nodeConfig.guestAccelerators` covers everything below it; `[*]` is any place in a list.
   * Say in a comment which file and version they come from.
   */
  readonly replacing: readonly string[];
  /** Further inputs whose change needs a new resource, by what they were and are to be: ForceNewIf. */
  replacingFor?(before: PropertyMap, after: PropertyMap): readonly string[];
  /** Whether the old one has to go first when the resource is replaced although its name changes. By name otherwise. */
  readonly deleteBeforeReplace?: boolean;
  /**
   * What the cloud refuses: its message, or undefined. Called for a creation and, with the record as it was, for a
   * change. The rules are the cloud's own (say where they are written), not those of our configuration.
   */
  refusal?(inputs: PropertyMap, cloud: CloudView, before?: CloudRecord): string | undefined;
  /** Why it cannot be deleted now: protected, or in use. See `inUse`. */
  refusesDeletion?(record: CloudRecord, cloud: CloudView): string | undefined;
  /** What the cloud deletes with it. */
  takesAlong?(record: CloudRecord, cloud: CloudView): readonly CloudRecord[];
  /**
   * Outputs that a preview of a change cannot know, by the inputs that change: what the Terraform provider marks with
   * `SetNewComputed` or `ComputedIf`.
   */
  unknownAfter?(changed: readonly string[]): readonly string[];
  /** Outputs beyond the inputs, plausible and stable: called at the creation and after each change. */
  outputs?(record: CloudRecord, cloud: CloudView): PropertyMap;
  /** The nodes that it stands for: made, changed and deleted with it. */
  nodes?(record: CloudRecord, cloud: CloudView): NodeGroup | undefined;
}

/** Answers with its outputs, or throws what the cloud says. */
export type CloudFunction = (args: PropertyMap, cloud: CloudView) => PropertyMap;

/** A resource that is there. */
export interface CloudRecord {
  readonly package: string;
  readonly type: string;
  readonly id: string;
  readonly inputs: PropertyMap;
  /** The inputs and what the cloud has added. */
  readonly outputs: PropertyMap;
  readonly serial: number;
}

/** What a table sees of the cloud while it answers one request. */
export interface CloudView {
  /** The provider's own arguments: project, region, subscription. */
  readonly provider: PropertyMap;
  readonly account: CloudAccount;
  /** Everything that is there in this cloud, or of one type. */
  records(type?: string): readonly CloudRecord[];
  find(type: string, id: PropertyValue | undefined): CloudRecord | undefined;
  /** The API server that stands for every managed cluster's. */
  readonly apiServer: ApiServer;
}

export interface ApiServer {
  /** `127.3.255.254:26443`: without a scheme, and with a port, which no cloud's has. */
  readonly host: string;
  /** Base64, as clouds give it. */
  readonly certificateAuthority: string;
}

/** What a test says of the account beforehand; without it nothing runs out and nothing is reserved. */
export interface CloudAccount {
  /** By the cloud's own name of the quota, perhaps with its place: `NVIDIA_H100_GPUS@us-central1`. */
  readonly quotas?: Readonly<Record<string, number>>;
  readonly reservations?: readonly Reservation[];
  /** Azure: preview features that are registered. */
  readonly features?: readonly string[];
  /** Versions of Kubernetes that the cloud sells, oldest first, as it writes them; those of its table otherwise. */
  readonly versions?: readonly string[];
  /** Zones that sell machines with GPUs; all otherwise. */
  readonly gpuZones?: readonly string[];
  /** AWS: ARN of who asks; a session of the role that the example lets in otherwise. */
  readonly caller?: string;
  /** GCP: the project's Compute default service account is disabled. */
  readonly defaultServiceAccountDisabled?: boolean;
  /** GCP: the policy constraints/compute.requireShieldedVm is in force. */
  readonly shieldedVmRequired?: boolean;
}

/** GCP reservation, AWS capacity reservation or capacity block, Azure capacity reservation. */
export interface Reservation {
  /** The cloud's name or id of it. */
  readonly name: string;
  readonly zone: string;
  readonly machineType: string;
  readonly count: number;
  /** AWS: `capacity-block`; `default` otherwise. */
  readonly kind?: string;
  /** Of a capacity block, RFC 3339; it is always open where they are not said. */
  readonly start?: string;
  readonly end?: string;
}

/** The type of a record of which others speak: the message of a deletion that they forbid names the first of them. */
export function usersOf(record: CloudRecord, cloud: CloudView, types: readonly string[]): readonly string[] {
  const names = [record.id, record.outputs["selfLink"]].filter((name) => typeof name === "string");
  return cloud
    .records()
    .filter(({ type, inputs }) => types.includes(type) && names.some((name) => mentions(inputs, name)))
    .map(({ id }) => id);
}

function mentions(value: PropertyValue, name: string): boolean {
  if (typeof value === "string") return value === name;
  return (
    typeof value === "object" && value !== null && Object.values(value).some((inner) => mentions(inner, name))
  );
}
