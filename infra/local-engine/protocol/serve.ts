// What every plugin of the engine does: serve on a port of its own, say which in the first line of standard output, and
// be gone when the engine is.

import grpc from "@grpc/grpc-js";

import { grpcError } from "./errors.ts";

/** How often a plugin looks whether its engine still lives. */
const parentCheckMs = 250;

/** Objects of a large cluster are larger than gRPC's own limit of 4 MiB; the engine's is this. */
const maxMessageBytes = 400 * 2 ** 20;

/** The calls that a plugin answers; the others are answered as unimplemented. */
export type Answered<Server> = {
  [Call in keyof Server as string extends Call ? never : Call]?: Server[Call];
};

/** Serves until the engine ends this process, or is ended itself; `atEnd` is then called first. */
export async function servePlugin(
  definition: grpc.ServiceDefinition,
  implementation: grpc.UntypedServiceImplementation,
  atEnd: () => void = () => {},
): Promise<void> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
  });
  server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  process.stdout.write(`${port}\n`);
  const engine = process.ppid;
  const check = setInterval(() => {
    if (process.ppid !== engine) {
      clearInterval(check);
      atEnd();
      process.exit(1);
    }
  }, parentCheckMs);
}

/** A unary call as an async function; what it throws is sent as an error. */
export function unary<Request, Response>(
  answer: (request: Request) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void (async () => {
      try {
        callback(null, await answer(call.request));
      } catch (error) {
        callback(grpcError(error));
      }
    })();
  };
}
