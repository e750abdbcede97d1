// Objects of the API server as Pulumi resources.

import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isNotFound,
  type KubeObject,
  type Live,
} from "@llama-operator/kube-runtime/client";
import { NotInitializedError } from "../protocol/errors.ts";
import { hasUnknowns, isPropertyMap, plainMap, type PropertyMap } from "../protocol/properties.ts";
import {
  asSent,
  checkpoint,
  checkpointFieldManager,
  checkpointInputs,
  checkpointLive,
  driftedInputs,
  withoutReadOnly,
} from "./checkpoint.ts";
import { AwaitError, type ClusterObjects, NoSuchKindError, type WriteOptions } from "./cluster-objects.ts";
import { awaitsOf, timeoutSeconds } from "./conditions.ts";
import type { ProviderConfiguration } from "./configuration.ts";
import { differences, isWithin } from "../provider/differences.ts";
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
} from "../provider/handler.ts";
import { annotation, autoname, isAutonamed, named } from "./names.ts";
import { replacingPaths } from "./replacement.ts";

const skipAwaitAnnotation = "pulumi.com/skipAwait";
const fieldManagerAnnotation = "pulumi.com/patchFieldManager";
const forceAnnotation = "pulumi.com/patchForce";

export class ObjectHandler implements ResourceHandler {
  readonly #objects: ClusterObjects;
  readonly #configuration: ProviderConfiguration;
  readonly #defaultNamespace: string;

  constructor(objects: ClusterObjects, configuration: ProviderConfiguration, defaultNamespace: string) {
    this.#objects = objects;
    this.#configuration = configuration;
    this.#defaultNamespace = defaultNamespace;
  }

  /** Names the object and places it; what the server would say to it is the preview's to find out. */
  async check({ inputs, oldInputs, name, seed, signal }: CheckCall): Promise<PropertyMap> {
    const complete = named(withoutReadOnly(inputs), oldInputs, () => autoname(name, seed));
    const metadata = complete["metadata"];
    if (!isPropertyMap(metadata) || (metadata["namespace"] ?? null) !== null) return complete;
    if (!(await this.#isNamespaced(complete, signal))) return complete;
    return { ...complete, metadata: { ...metadata, namespace: this.#defaultNamespace } };
  }

  /** A kind that the server does not serve yet counts as namespaced, as in the real provider. */
  async #isNamespaced(inputs: PropertyMap, signal: AbortSignal): Promise<boolean> {
    try {
      const { apiVersion, kind } = objectOf(inputs);
      return (await this.#objects.typeOf(apiVersion, kind, signal)).namespaced;
    } catch (error) {
      if (error instanceof NoSuchKindError) return true;
      throw error;
    }
  }

  async diff({ inputs, state, signal }: DiffCall): Promise<Diff> {
    // A kind that came with the program counted as namespaced when its first object was checked.
    const comparable = (await this.#isNamespaced(inputs, signal))
      ? (map: PropertyMap) => map
      : withoutNamespace;
    const after = comparable(asSent(plainMap(inputs)));
    const found = differences(comparable(plainMap(checkpointInputs(state))), after);
    const patterns = replacingPaths(after, this.#configuration);
    const replacing = found.filter(({ path }) => patterns.some((pattern) => isWithin(path, pattern)));
    const [live, wanted] = [objectOf(comparable(checkpointLive(state))), objectOf(after)];
    const samePlace =
      live.metadata?.name === wanted.metadata?.name &&
      live.metadata?.namespace === wanted.metadata?.namespace;
    return {
      differences: found,
      replacing,
      deleteBeforeReplace: replacing.length > 0 && samePlace && !isAutonamed(after),
    };
  }

  async create(call: CreateCall): Promise<Made> {
    if (call.preview && hasUnknowns(call.inputs)) return notMadeYet(call.inputs);
    const object = objectOf(call.inputs);
    const options = { fieldManager: newFieldManager(call), dryRun: call.preview, signal: call.signal };
    let made: Live<KubeObject>;
    try {
      made = this.#configuration.upsertExistingObjects
        ? await this.#objects.apply(object, { ...options, force: true })
        : await this.#objects.create(object, options);
    } catch (error) {
      // Another resource of the same program may make the kind or the namespace, or take the old object away.
      if (call.preview && mayPass(error)) return notMadeYet(call.inputs);
      throw creationError(call.urn, error);
    }
    if (call.preview)
      return notMadeYet(withoutStatus(checkpoint(call.inputs, liveMap(made), options.fieldManager)));
    return this.#initialized(call, made, options.fieldManager);
  }

  async update(call: UpdateCall): Promise<PropertyMap> {
    if (call.preview && hasUnknowns(call.inputs)) return call.inputs;
    const object = objectOf(call.inputs);
    const fieldManager =
      annotation(plainMap(call.inputs), fieldManagerAnnotation) ??
      checkpointFieldManager(call.state) ??
      newFieldManager(call);
    const options = { fieldManager, dryRun: call.preview, signal: call.signal };
    try {
      const made =
        object.kind === "CustomResourceDefinition"
          ? await this.#objects.replace(object, options)
          : await this.#applied(call, object, options);
      if (call.preview) return withoutStatus(checkpoint(call.inputs, liveMap(made), fieldManager));
      return (await this.#initialized(call, made, fieldManager)).properties;
    } catch (error) {
      if (error instanceof NotInitializedError) throw error;
      if (call.preview && (isForbidden(error) || isNotFound(error))) return call.inputs;
      throw await this.#updateError(call, object, fieldManager, error);
    }
  }

  async #applied(call: UpdateCall, object: KubeObject, options: WriteOptions): Promise<Live<KubeObject>> {
    const created = await this.#objects.createdBy(object, options.fieldManager, call.signal);
    if (created !== undefined && !call.preview) await this.#objects.ownCreatedFields(created, call.signal);
    const force =
      // Until the real change, a preview conflicts with what the creation has set.
      (created !== undefined && call.preview) ||
      this.#configuration.enablePatchForce ||
      annotation(plainMap(call.inputs), forceAnnotation) === "true";
    return this.#objects.apply(object, { ...options, force });
  }

  /** A refused change is recorded as one that has not come to pass: the next run tries it again. */
  async #updateError(
    call: UpdateCall,
    object: KubeObject,
    fieldManager: string,
    cause: unknown,
  ): Promise<Error> {
    const advice = isConflict(cause) ? "Server-Side Apply field conflict detected: " : "";
    const live = await this.#objects.get(object, call.signal).catch(() => undefined);
    if (live === undefined) {
      return new Error(`update of resource "${call.urn}" failed: ${advice}${messageOf(cause)}`, { cause });
    }
    return new NotInitializedError(
      `the Kubernetes API server reported that "${idOf(live)}" failed to fully initialize or become live: ${advice}${messageOf(cause)}`,
      idOf(live),
      checkpoint(call.inputs, liveMap(live), fieldManager),
    );
  }

  /** Waits for what the kind and the annotations ask for. */
  async #initialized(call: CreateCall, made: Live<KubeObject>, fieldManager: string): Promise<Made> {
    const inputs = plainMap(call.inputs);
    const id = idOf(made);
    try {
      const awaits = awaitsOf(asSent(inputs));
      const limit = timeoutSeconds(inputs, call.timeoutSeconds);
      const live = awaits.length === 0 ? made : await this.#objects.ready(made, awaits, limit, call.signal);
      return { id, properties: checkpoint(call.inputs, liveMap(live), fieldManager) };
    } catch (error) {
      const live = error instanceof AwaitError ? error.live : made;
      throw new NotInitializedError(
        `resource "${call.urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: ${messageOf(error)}`,
        id,
        checkpoint(call.inputs, liveMap(live), fieldManager),
      );
    }
  }

  async read(
    call: ReadCall,
  ): Promise<{ readonly inputs: PropertyMap; readonly properties: PropertyMap } | undefined> {
    const recorded = checkpointLive(call.state);
    const sought = recorded["apiVersion"] === undefined ? objectOfId(call) : objectOf(plainMap(recorded));
    const live = await this.#objects.get(sought, call.signal);
    if (live === undefined) return undefined;
    const fieldManager = checkpointFieldManager(call.state) ?? newFieldManager({ ...call, inputs: {} });
    const inputs =
      recorded["apiVersion"] === undefined
        ? withoutStatus(withoutReadOnly(liveMap(live)))
        : driftedInputs(checkpointInputs(call.state), plainMap(recorded), plainMap(liveMap(live)));
    return { inputs, properties: checkpoint(inputs, liveMap(live), fieldManager) };
  }

  async delete(call: DeleteCall): Promise<void> {
    const object = objectOf(plainMap(checkpointLive(call.state)));
    const inputs = plainMap(checkpointInputs(call.state));
    const awaitGone = annotation(inputs, skipAwaitAnnotation) !== "true";
    await this.#objects.delete(object, timeoutSeconds(inputs, call.timeoutSeconds), awaitGone, call.signal);
  }
}

/** The object in clear, as the API server takes it. */
function objectOf(inputs: PropertyMap): KubeObject {
  return asSent(plainMap(inputs)) as unknown as KubeObject;
}

const liveMap = (live: Live<KubeObject>): PropertyMap => live as unknown as PropertyMap;

/** The real provider draws a random one; the resource's own name makes managed fields readable. */
function newFieldManager({ inputs, name }: { readonly inputs: PropertyMap; readonly name: string }): string {
  return annotation(plainMap(inputs), fieldManagerAnnotation) ?? `pulumi-kubernetes-${name}`.slice(0, 128);
}

/** `namespace/name`, or `name` for a cluster-scoped object. */
function idOf({ metadata }: Live<KubeObject>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** For a lookup or an import, where only the type and the id say what is sought. */
function objectOfId({ id, type }: ReadCall): KubeObject {
  const [, module = "", kind = ""] = type.split(":");
  const apiVersion = module.replace(/^core\//, "");
  const slash = id.indexOf("/");
  const metadata = slash < 0 ? { name: id } : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
  return { apiVersion, kind, metadata };
}

function withoutNamespace(properties: PropertyMap): PropertyMap {
  const metadata = properties["metadata"];
  if (!isPropertyMap(metadata)) return properties;
  const { namespace: _, ...kept } = metadata;
  return { ...properties, metadata: kept };
}

function withoutStatus(properties: PropertyMap): PropertyMap {
  const { status: _, ...kept } = properties;
  return kept;
}

function mayPass(error: unknown): boolean {
  return (
    error instanceof NoSuchKindError || isNotFound(error) || isForbidden(error) || isAlreadyExists(error)
  );
}

function creationError(urn: string, cause: unknown): Error {
  if (cause instanceof NoSuchKindError) {
    return new Error(
      `creation of resource "${urn}" with kind ${cause.kind} failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: ${cause.message}`,
      { cause },
    );
  }
  return new Error(
    `resource "${urn}" was not successfully created by the Kubernetes API server: ${messageOf(cause)}`,
    { cause },
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
