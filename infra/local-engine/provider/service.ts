// The engine's calls, read from the wire, given to the handler of the resource's type, and answered: what every
// provider does alike.

import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import type {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  InvokeRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

import { NotInitializedError } from "../protocol/errors.ts";
import { plainMap, type PropertyMap } from "../protocol/properties.ts";
import { type Answered, unary } from "../protocol/serve.ts";
import { readStruct, writeStruct } from "../protocol/structs.ts";
import { configurationDiffResponse, diffResponse } from "./diff-response.ts";
import { differences } from "./differences.ts";
import type { Made, ResourceHandler } from "./handler.ts";
import { type MakeInterceptor, passThrough } from "./interceptor.ts";

/** What a configured provider answers with. */
export interface ConfiguredProvider {
  handlerOf(type: string): ResourceHandler;
  /** A function of the package, by its token. Undefined where there is none. */
  invoke?(token: string, args: PropertyMap): Promise<PropertyMap> | undefined;
}

/** What one package's provider adds to the protocol. */
export interface ProviderDefinition {
  /** The package: `kubernetes`. */
  readonly name: string;
  /** The version of the real provider that it is written after. */
  readonly version: string;
  /** Reads the provider's own arguments, in clear. `signal` is aborted when the engine gives up. */
  configure(args: PropertyMap, signal: AbortSignal): Promise<ConfiguredProvider>;
  /** Which of the provider's own arguments, when changed, need every resource anew. */
  replacingArguments(before: PropertyMap, after: PropertyMap): readonly string[];
}

export interface ProviderService {
  readonly service: Answered<IResourceProviderServer>;
  /** Gives up what is under way. */
  stop(): void;
}

export function providerService(
  definition: ProviderDefinition,
  makeInterceptor: MakeInterceptor = passThrough,
): ProviderService {
  const cancelled = new AbortController();
  const { signal } = cancelled;
  const intercepted = makeInterceptor(signal);
  const configured = Promise.withResolvers<ConfiguredProvider>();
  configured.promise.catch(() => undefined);
  const handlerOf = async (type: string) => (await configured.promise).handlerOf(type);

  const about = (request: { getUrn(): string; getType(): string; getName(): string }) => ({
    urn: request.getUrn(),
    type: request.getType(),
    name: request.getName(),
    signal,
  });

  const service: Answered<IResourceProviderServer> = {
    handshake: unary(async () => {
      const response = new provider.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),

    getPluginInfo: unary(async () => {
      const info = new plugin.PluginInfo();
      info.setVersion(definition.version);
      return info;
    }),

    getSchema: unary(async () => {
      const { name, version } = definition;
      const response = new provider.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name, version }));
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
      return configurationDiffResponse(changed, definition.replacingArguments(before, after));
    }),

    configure: unary(async (request: ConfigureRequest) => {
      const configuring = definition.configure(plainMap(readStruct(request.getArgs())), signal);
      // Calls that wait for the configuration learn of its failure too.
      configuring.then(configured.resolve, configured.reject);
      await configuring;
      const response = new provider.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),

    invoke: unary(async (request: InvokeRequest) => {
      const token = request.getTok();
      const answer = (await configured.promise).invoke?.(token, plainMap(readStruct(request.getArgs())));
      if (answer === undefined) {
        throw new Error(`the double of the ${definition.name} provider does not know the function ${token}`);
      }
      const response = new provider.InvokeResponse();
      response.setReturn(writeStruct(await answer));
      return response;
    }),

    cancel: unary(async () => {
      cancelled.abort(new Error("the engine has cancelled the operation"));
      return new empty.Empty();
    }),

    check: unary(async (request: CheckRequest) => {
      const call = about(request);
      const handler = await handlerOf(call.type);
      const oldInputs = readStruct(request.getOlds());
      const inputs = await intercepted("check", call, async () =>
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
        oldInputs: readStruct(request.getOldInputs()),
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
      const made = await intercepted("create", call, async () => handler.create(call), notInitialized);
      const response = new provider.CreateResponse();
      response.setId(made.id);
      response.setProperties(writeStruct(made.properties));
      return response;
    }),

    read: unary(async (request: ReadRequest) => {
      const call = { ...about(request), id: request.getId(), state: readStruct(request.getProperties()) };
      const handler = await handlerOf(call.type);
      const found = await intercepted("read", call, async () => handler.read(call));
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
      const properties = await intercepted(
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
      await intercepted("delete", call, async () => handler.delete(call));
      return new empty.Empty();
    }),
  };

  return { service, stop: () => cancelled.abort(new Error("the engine is gone")) };
}

const notInitialized = ({ id, properties }: Made, message: string): Error =>
  new NotInitializedError(message, id, properties);
