// The engine's calls, read from the wire, given to the handler of the resource's type, and answered. Planned faults
// strike here, where they are the same for every type.

import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import type {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResponse,
  InvokeRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

import { type Fault, type FaultedOperation, faultOf } from "../faults.ts";
import { NotInitializedError } from "../protocol/errors.ts";
import { plainMap, type PropertyMap } from "../protocol/properties.ts";
import { type Answered, unary } from "../protocol/serve.ts";
import { readStruct, writeStruct } from "../protocol/structs.ts";
import { ClusterObjects } from "./cluster-objects.ts";
import { providerConfiguration, replacingArguments } from "./configuration.ts";
import { connect } from "./connection.ts";
import { differences, propertyPath } from "./differences.ts";
import type { Diff, Made, ResourceHandler } from "./handler.ts";
import { HelmReleaseHandler } from "./helm-release.ts";
import { ObjectHandler } from "./object-handler.ts";

const helmReleaseType = "kubernetes:helm.sh/v3:Release";

interface Handlers {
  readonly objects: ResourceHandler;
  readonly releases: ResourceHandler;
}

export interface KubernetesProvider {
  readonly service: Answered<IResourceProviderServer>;
  /** Gives up what is under way. */
  stop(): void;
}

export function kubernetesProvider(faultsFolder: string | undefined): KubernetesProvider {
  const cancelled = new AbortController();
  const { signal } = cancelled;
  const configured = Promise.withResolvers<Handlers>();

  const handlerOf = async (type: string): Promise<ResourceHandler> => {
    const { objects, releases } = await configured.promise;
    return type === helmReleaseType ? releases : objects;
  };

  const about = (request: { getUrn(): string; getType(): string; getName(): string }) => ({
    urn: request.getUrn(),
    type: request.getType(),
    name: request.getName(),
    signal,
  });

  /** Does the operation, with whatever fault is planned for it. */
  const faulted = async <Result>(
    operation: FaultedOperation,
    call: { readonly type: string; readonly name: string; readonly preview?: boolean },
    act: () => Promise<Result>,
    uninitialized?: (result: Result, message: string) => Error,
  ): Promise<Result> => {
    const fault = call.preview === true ? undefined : await faultOf(faultsFolder, { ...call, operation });
    if (fault !== undefined) await strikeBefore(fault, signal);
    const result = await act();
    if (fault?.effect === "dieAfterwards") process.kill(process.pid, "SIGKILL");
    if (fault?.effect === "uninitialized" && uninitialized !== undefined) {
      throw uninitialized(result, fault.message ?? "planned: it is made and not ready");
    }
    return result;
  };

  const service: Answered<IResourceProviderServer> = {
    handshake: unary(async () => {
      const response = new provider.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),

    getPluginInfo: unary(async () => {
      const info = new plugin.PluginInfo();
      info.setVersion("4.34.2");
      return info;
    }),

    getSchema: unary(async () => {
      const response = new provider.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: "kubernetes", version: "4.34.2" }));
      return response;
    }),

    getMapping: unary(async () => new provider.GetMappingResponse()),
    getMappings: unary(async () => new provider.GetMappingsResponse()),

    checkConfig: unary(async (request: CheckRequest) => {
      const response = new provider.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),

    diffConfig: unary(async (request: DiffRequest) => {
      const before = plainMap(readStruct(request.getOldInputs() ?? request.getOlds()));
      const after = plainMap(readStruct(request.getNews()));
      const changed = differences(before, after).map(({ path }) => String(path[0]));
      const response = new provider.DiffResponse();
      response.setChanges(changesOf(changed.length));
      response.setDiffsList(changed);
      response.setReplacesList(replacingArguments(before, after).filter((name) => changed.includes(name)));
      return response;
    }),

    configure: unary(async (request: ConfigureRequest) => {
      const configuration = providerConfiguration(plainMap(readStruct(request.getArgs())), process.env);
      const { client, helm, defaultNamespace } = await connect(configuration);
      configured.resolve({
        objects: new ObjectHandler(new ClusterObjects(client), configuration, defaultNamespace),
        releases: new HelmReleaseHandler(helm, defaultNamespace),
      });
      const response = new provider.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),

    invoke: unary(async (request: InvokeRequest) => {
      throw new Error(`the double of the kubernetes provider does not know the function ${request.getTok()}`);
    }),

    cancel: unary(async () => {
      cancelled.abort(new Error("the engine has cancelled the operation"));
      return new empty.Empty();
    }),

    check: unary(async (request: CheckRequest) => {
      const call = about(request);
      const handler = await handlerOf(call.type);
      const oldInputs = readStruct(request.getOlds());
      const inputs = await faulted("check", call, async () =>
        handler.check({
          ...call,
          inputs: readStruct(request.getNews()),
          oldInputs: Object.keys(oldInputs).length === 0 ? undefined : oldInputs,
          seed: request.getRandomseed_asU8(),
        }),
      );
      const response = new provider.CheckResponse();
      response.setInputs(writeStruct(inputs));
      return response;
    }),

    diff: unary(async (request: DiffRequest) => {
      const call = about(request);
      const handler = await handlerOf(call.type);
      const diff = await handler.diff({
        ...call,
        id: request.getId(),
        inputs: readStruct(request.getNews()),
        state: readStruct(request.getOlds()),
      });
      return diffResponse(diff, request.getIgnorechangesList());
    }),

    create: unary(async (request: CreateRequest) => {
      const call = {
        ...about(request),
        inputs: readStruct(request.getProperties()),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      };
      const handler = await handlerOf(call.type);
      const made = await faulted("create", call, async () => handler.create(call), notInitialized);
      const response = new provider.CreateResponse();
      response.setId(made.id);
      response.setProperties(writeStruct(made.properties));
      return response;
    }),

    read: unary(async (request: ReadRequest) => {
      const call = { ...about(request), id: request.getId(), state: readStruct(request.getProperties()) };
      const handler = await handlerOf(call.type);
      const found = await faulted("read", call, async () => handler.read(call));
      const response = new provider.ReadResponse();
      if (found !== undefined) {
        response.setId(request.getId());
        response.setInputs(writeStruct(found.inputs));
        response.setProperties(writeStruct(found.properties));
      }
      return response;
    }),

    update: unary(async (request: UpdateRequest) => {
      const call = {
        ...about(request),
        id: request.getId(),
        inputs: readStruct(request.getNews()),
        state: readStruct(request.getOlds()),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      };
      const handler = await handlerOf(call.type);
      const properties = await faulted(
        "update",
        call,
        async () => handler.update(call),
        (made: PropertyMap, message) => notInitialized({ id: call.id, properties: made }, message),
      );
      const response = new provider.UpdateResponse();
      response.setProperties(writeStruct(properties));
      return response;
    }),

    delete: unary(async (request: DeleteRequest) => {
      const call = {
        ...about(request),
        id: request.getId(),
        state: readStruct(request.getProperties()),
        timeoutSeconds: request.getTimeout(),
      };
      const handler = await handlerOf(call.type);
      await faulted("delete", call, async () => handler.delete(call));
      return new empty.Empty();
    }),
  };

  return { service, stop: () => cancelled.abort(new Error("the engine is gone")) };
}

const notInitialized = ({ id, properties }: Made, message: string): Error =>
  new NotInitializedError(message, id, properties);

/** Returns where the operation is to be done all the same. */
async function strikeBefore(fault: Fault, signal: AbortSignal): Promise<void> {
  switch (fault.effect) {
    case "refuse":
      throw new Error(fault.message ?? "planned: the provider refuses");
    case "hang":
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    case "die":
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    case "dieAfterwards":
    case "uninitialized":
      return undefined;
  }
}

function changesOf(count: number): DiffResponse.DiffChanges {
  const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
  return count === 0 ? DIFF_NONE : DIFF_SOME;
}

/** The engine leaves ignored changes to the provider where it gets a detailed diff. */
function diffResponse(diff: Diff, ignored: readonly string[]): DiffResponse {
  const response = new provider.DiffResponse();
  const { Kind } = provider.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const isIgnored = (path: string) =>
    ignored.some(
      (prefix) => path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`),
    );
  const found = diff.differences
    .map((difference) => ({ difference, path: propertyPath(difference.path) }))
    .filter(({ path }) => !isIgnored(path));
  const replaces: string[] = [];
  for (const { difference, path } of found) {
    const replacing = diff.replacing.includes(difference);
    if (replacing) replaces.push(path);
    const detail = new provider.PropertyDiff();
    detail.setKind(kinds[difference.kind][replacing ? 1 : 0]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setChanges(changesOf(found.length));
  response.setDiffsList(found.map(({ difference }) => String(difference.path[0])));
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(replaces.length > 0 && diff.deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  return response;
}
