// How a provider tells the engine that something went wrong, so that the engine knows what has happened nevertheless.

import grpc from "@grpc/grpc-js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";

import type { PropertyMap } from "./properties.ts";
import { writeStruct } from "./structs.ts";

/** The resource exists, with the properties, and is not what was asked for yet: the engine records it and fails. */
export class NotInitializedError extends Error {
  override readonly name = "NotInitializedError";
  readonly id: string;
  readonly properties: PropertyMap;
  readonly reasons: readonly string[];

  constructor(message: string, id: string, properties: PropertyMap, reasons: readonly string[] = []) {
    super(message);
    this.id = id;
    this.properties = properties;
    this.reasons = [message, ...reasons];
  }
}

/** What gRPC sends for an error that a provider has thrown. */
export function grpcError(error: unknown): Partial<grpc.StatusObject> & { readonly code: grpc.status } {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof NotInitializedError)) {
    return { code: grpc.status.UNKNOWN, details: message };
  }
  const detail = new provider.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(writeStruct(error.properties));
  detail.setReasonsList([...error.reasons]);
  const packed = new any.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rpcStatus = new status.Status();
  rpcStatus.setCode(grpc.status.UNKNOWN);
  rpcStatus.setMessage(message);
  rpcStatus.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(rpcStatus.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}
