// Between the wire's Struct messages and property maps.

import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

import { decodeProperties, encodeProperties, type PropertyMap } from "./properties.ts";

export function readStruct(message: Struct | undefined): PropertyMap {
  return decodeProperties(message?.toJavaScript());
}

export function writeStruct(properties: PropertyMap): Struct {
  return struct.Struct.fromJavaScript(
    encodeProperties(properties) as Parameters<typeof struct.Struct.fromJavaScript>[0],
  );
}
