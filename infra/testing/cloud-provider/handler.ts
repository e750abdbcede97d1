// A cloud's resources as Pulumi's engine asks for them, by the table of the cloud.

import { createHash, randomBytes } from "node:crypto";

import {
  plainMap,
  type PropertyMap,
  secretsLike,
  textOf,
  Unknown,
} from "../../local-engine/protocol/properties.ts";
import { differences, isWithin } from "../../local-engine/provider/differences.ts";
import {
  type CheckCall,
  type CreateCall,
  type DeleteCall,
  type Diff,
  type DiffCall,
  type Made,
  notMadeYet,
  type ReadCall,
  type ResourceHandler,
  type UpdateCall,
} from "../../local-engine/provider/handler.ts";
import type { CloudRecord, CloudResource, CloudTable, CloudView } from "./cloud.ts";
import type { CloudNodes } from "./nodes.ts";
import type { CloudRequest, CloudState, CloudStore } from "./store.ts";

/** How many characters the bridged providers add to a name that they make up. */
const nameSuffixLength = 7;

/** What the handlers of one cloud stand on. */
export interface Cloud {
  readonly table: CloudTable;
  readonly store: CloudStore;
  readonly nodes: CloudNodes;
  readonly view: (state: CloudState) => CloudView;
}

export class CloudHandler implements ResourceHandler {
  readonly #cloud: Cloud;
  readonly #type: string;
  readonly #resource: CloudResource;

  constructor(cloud: Cloud, type: string, resource: CloudResource) {
    this.#cloud = cloud;
    this.#type = type;
    this.#resource = resource;
  }

  /** Names the resource, and misses what is required. */
  async check({ inputs, oldInputs, name, seed, urn }: CheckCall): Promise<PropertyMap> {
    const { defaults, nameInput, required } = this.#resource;
    const complete: Record<string, PropertyMap[string]> = { ...defaults, ...withoutEmpty(inputs) };
    if (nameInput !== undefined) complete[nameInput] ??= oldInputs?.[nameInput] ?? autoname(name, seed);
    const missing = required.filter((input) => complete[input] === undefined);
    if (missing.length > 0) {
      throw new Error(`${urn}: missing required ${missing.map((input) => `"${input}"`).join(", ")}`);
    }
    return complete;
  }

  async diff({ inputs, oldInputs }: DiffCall): Promise<Diff> {
    const { deleteBeforeReplace, nameInput } = this.#resource;
    const [before, after] = [plainMap(oldInputs), plainMap(inputs)];
    const found = differences(before, after);
    const replacing = [...this.#resource.replacing, ...(this.#resource.replacingFor?.(before, after) ?? [])];
    const forcing = found.filter(({ path }) => replacing.some((pattern) => isWithin(path, pattern)));
    const sameName = nameInput !== undefined && oldInputs[nameInput] === inputs[nameInput];
    return {
      differences: found,
      replacing: forcing,
      deleteBeforeReplace: deleteBeforeReplace ?? sameName,
    };
  }

  async create(call: CreateCall): Promise<Made> {
    if (call.preview) return notMadeYet(call.inputs);
    const inputs = plainMap(call.inputs);
    const record = await this.#asked(call, "create", inputs, async () =>
      this.#cloud.store.change((state) => {
        const view = this.#cloud.view(state);
        const serial = state.serial + 1;
        const id = this.#resource.id(inputs, view, serial);
        const present = view.find(this.#type, id);
        if (present !== undefined) {
          if (this.#resource.conflict === undefined) return [state, present];
          throw new Error(this.#resource.conflict(id));
        }
        const refusal = this.#resource.refusal?.(inputs, view);
        if (refusal !== undefined) throw new Error(refusal);
        const bare = {
          package: this.#cloud.table.name,
          type: this.#type,
          id,
          inputs,
          outputs: inputs,
          serial,
        };
        const made = this.#withOutputs(bare, view);
        return [{ ...state, serial, records: [...state.records, made] }, made];
      }),
    );
    await this.#apply(record, call.signal);
    return { id: record.id, properties: outputsOf(record, call.inputs) };
  }

  async update(call: UpdateCall): Promise<PropertyMap> {
    if (call.preview) {
      const found = differences(plainMap(call.state), plainMap(call.inputs));
      const changed = new Set(found.map(({ path }) => String(path[0])).filter((name) => name in call.inputs));
      const unknown = this.#resource.unknownAfter?.([...changed]) ?? [];
      const hidden = Object.fromEntries(unknown.map((name) => [name, new Unknown()]));
      return { ...call.state, ...call.inputs, ...hidden };
    }
    const inputs = plainMap(call.inputs);
    const record = await this.#asked(call, "update", inputs, async () =>
      this.#cloud.store.change((state) => {
        const view = this.#cloud.view(state);
        const before = this.#found(view, call.id);
        const refusal = this.#resource.refusal?.(inputs, view, before);
        if (refusal !== undefined) throw new Error(refusal);
        const made = this.#withOutputs({ ...before, inputs, outputs: inputs }, view);
        return [
          { ...state, records: state.records.map((each) => (isSame(each, before) ? made : each)) },
          made,
        ];
      }),
    );
    await this.#apply(record, call.signal);
    return outputsOf(record, call.inputs);
  }

  async read(
    call: ReadCall,
  ): Promise<{ readonly inputs: PropertyMap; readonly properties: PropertyMap } | undefined> {
    const record = this.#cloud.view(this.#cloud.store.read()).find(this.#type, call.id);
    await this.#asked(call, "read", {}, async () => {});
    return record === undefined ? undefined : { inputs: record.inputs, properties: outputsOf(record, {}) };
  }

  async delete(call: DeleteCall): Promise<void> {
    const record = await this.#asked(call, "delete", {}, async () => {
      const view = this.#cloud.view(this.#cloud.store.read());
      // What is gone already counts as deleted.
      const found = view.find(this.#type, call.id);
      const refusal = found === undefined ? undefined : this.#resource.refusesDeletion?.(found, view);
      if (refusal !== undefined) throw new Error(refusal);
      return found;
    });
    if (record === undefined) return;
    const view = this.#cloud.view(this.#cloud.store.read());
    const going = [...(this.#resource.takesAlong?.(record, view) ?? []), record];
    for (const each of going) {
      const hasNodes = this.#cloud.table.resources[each.type]?.nodes !== undefined;
      if (hasNodes) await this.#cloud.nodes.apply(each, undefined, call.signal);
    }
    await this.#cloud.store.change((state) => [
      { ...state, records: state.records.filter((each) => !going.some((gone) => isSame(each, gone))) },
      undefined,
    ]);
  }

  /** Notes the request, with what the cloud says where it refuses. */
  async #asked<Result>(
    { name }: { readonly name: string },
    operation: CloudRequest["operation"],
    inputs: PropertyMap,
    act: () => Promise<Result>,
  ): Promise<Result> {
    const request = { package: this.#cloud.table.name, operation, type: this.#type, name, inputs };
    try {
      const result = await act();
      this.#cloud.store.record(request);
      return result;
    } catch (error) {
      const refusal = error instanceof Error ? error.message : String(error);
      this.#cloud.store.record({ ...request, refusal });
      throw error;
    }
  }

  #found(view: CloudView, id: string): CloudRecord {
    const record = view.find(this.#type, id);
    if (record === undefined) throw new Error(`${this.#type} ${id} is not there: refresh the stack`);
    return record;
  }

  #withOutputs(record: CloudRecord, view: CloudView): CloudRecord {
    return { ...record, outputs: { ...record.inputs, ...this.#resource.outputs?.(record, view) } };
  }

  /** Makes the nodes what the record says. */
  async #apply(record: CloudRecord, signal: AbortSignal): Promise<void> {
    const group = this.#resource.nodes?.(record, this.#cloud.view(this.#cloud.store.read()));
    if (group !== undefined) await this.#cloud.nodes.apply(record, group, signal);
  }
}

const isSame = (one: CloudRecord, other: CloudRecord): boolean =>
  one.type === other.type && one.id === other.id && one.package === other.package;

/** What the program keeps secret stays so. */
function outputsOf(record: CloudRecord, inputs: PropertyMap): PropertyMap {
  return secretsLike(record.outputs, inputs) as PropertyMap;
}

/** Nulls and what is undefined count as not given. */
function withoutEmpty(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(inputs).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** Stable for a seed, which the engine keeps from preview to update; random without one. */
function autoname(resourceName: string, seed: Uint8Array): string {
  const bytes =
    seed.length === 0 ? randomBytes(nameSuffixLength) : createHash("sha256").update(seed).digest();
  return `${textOf(resourceName)}-${Buffer.from(bytes).toString("hex").slice(0, nameSuffixLength)}`;
}
