// The process of the bare loop: says that it is ready, then sends the requests of each LlamaDeployment it is told of.
import { readFile } from "node:fs/promises";
import { Pool } from "undici";
import { parse } from "yaml";
import type { BareLoopMessage, RecordedRequest, Recording } from "./bare-loop.ts";

process.on("message", (message: BareLoopMessage) => {
  switch (message.kind) {
    case "start":
      loop = start(message);
      break;
    case "created":
      void loop?.then(({ add }) => add(message.name, message.uid));
      break;
  }
});
process.on("disconnect", () => process.exit(0));

let loop: Promise<{ add: (name: string, uid: string) => void }> | undefined;

const overloaded: ReadonlySet<number> = new Set([429, 503, 504]);

type Start = Extract<BareLoopMessage, { kind: "start" }>;

async function start(options: Start): Promise<{ add: (name: string, uid: string) => void }> {
  const { server, caFile, recordingFile, namespace, connections, userAgent } = options;
  const pool = new Pool(server, {
    connections,
    pipelining: 1,
    // HTTP/1.1, as the operator speaks: over HTTP/2, undici's default, 16 connections carry hundreds of requests at once,
    // and what else asks of the API server (the controller manager above all) waits until the bare loop has ended.
    allowH2: false,
    connect: { ca: await readFile(caFile, "utf8") },
  });
  const config = parse(await readFile(options.kubeconfig, "utf8")) as {
    users: [{ user: { token: string } }];
  };
  const headers = { authorization: `Bearer ${config.users[0].user.token}`, "user-agent": userAgent };
  const recording = JSON.parse(await readFile(recordingFile, "utf8")) as Recording;

  const send = async ({ method, path, contentType, body }: RecordedRequest): Promise<void> => {
    const answer = await pool.request({
      method,
      path,
      body,
      headers: { ...headers, "content-type": contentType, accept: "application/json" },
    });
    const text = await answer.body.text();
    // What an overloaded API server gives up is sent again at once; the operator waits a second.
    if (overloaded.has(answer.statusCode)) await send({ method, path, contentType, body });
    else if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
  };

  process.send?.("ready");
  return {
    // The pool holds what its connections cannot take yet: they are never idle while there is something to send.
    add: (name, uid) => {
      const was = recording.uids[name];
      if (was === undefined) throw new Error(`${name} was not recorded`);
      for (const request of recording.requests[name] ?? []) {
        void send({
          ...request,
          path: request.path.replaceAll(recording.namespace, namespace),
          body: request.body.replaceAll(recording.namespace, namespace).replaceAll(was, uid),
        });
      }
    },
  };
}
