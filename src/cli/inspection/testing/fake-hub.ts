// Two HTTP servers on loopback that stand for the hub (or the Ollama registry) and for the store of large files that
// it redirects to. Written after the real one's behaviour: huggingface_hub, utils/_http.py and file_download.py;
// huggingface.co/docs/hub/rate-limits; ollama/ollama, server/download.go.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import type { FileHead } from "./checkpoint-files.ts";

export interface FakeRequest {
  readonly server: "hub" | "store";
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What the servers do differently; changed by a test as it goes. */
export interface Behaviour {
  /** Answers every request to the hub for a file. */
  refuse?: { status: number; headers?: Readonly<Record<string, string>>; times?: number } | undefined;
  /** The store sends whole files. */
  ignoreRanges?: boolean;
  /** The store hangs up in the middle of a body. */
  cutBodies?: boolean;
  /** Where the hub redirects to, instead of to the store. */
  redirectTo?: string;
  /** Gated for clients without this token. */
  gatedBut?: string;
}

export interface FakeHub {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  readonly behaviour: Behaviour;
  close(): Promise<void>;
}

/** A repository, or the documents and blobs of a registry by their path. */
export interface HubContent {
  readonly repository?: string;
  readonly commit?: string;
  readonly files: ReadonlyMap<string, FileHead>;
}

const loopback = { host: "127.0.0.1" };

export async function startFakeHub(content: HubContent): Promise<FakeHub> {
  const requests: FakeRequest[] = [];
  const behaviour: Behaviour = {};
  const note = (server: FakeRequest["server"], request: IncomingMessage): string => {
    const path = decodeURIComponent(request.url ?? "");
    const { authorization, range } = request.headers;
    requests.push({ server, path, authorization, range });
    return path;
  };
  const store = createServer((request, response) => {
    const name = new URL(note("store", request), "http://store").searchParams.get("file") ?? "";
    const file = content.files.get(name);
    if (file === undefined) refuse(response, 404);
    else sendFile(request, response, file, behaviour);
  });
  const storePort = await listen(store, loopback);
  const hub = createServer((request, response) => {
    answerAsHub(note("hub", request), request, response, { content, behaviour, storePort });
  });
  const hubPort = await listen(hub, loopback);
  return {
    url: `http://127.0.0.1:${hubPort}`,
    requests,
    behaviour,
    async close() {
      await Promise.all([hub, store].map(closeServer));
    },
  };
}

interface Scene {
  readonly content: HubContent;
  readonly behaviour: Behaviour;
  readonly storePort: number;
}

function answerAsHub(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  { content, behaviour, storePort }: Scene,
): void {
  const { repository = "", commit = "", files } = content;
  const [, asked] = /^\/api\/models\/[^/]+\/[^/]+\/revision\/(.+)$/.exec(path) ?? [];
  if (asked !== undefined) {
    if (!path.startsWith(`/api/models/${repository}/`))
      return refuse(response, 401, { "x-error-code": "RepoNotFound" });
    if (asked !== "main" && asked !== commit)
      return refuse(response, 404, { "x-error-code": "RevisionNotFound" });
    const siblings = [...files.keys()].map((rfilename) => ({ rfilename }));
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        id: repository,
        sha: commit,
        gated: behaviour.gatedBut === undefined ? false : "manual",
        siblings,
      }),
    );
    return;
  }
  const { refuse: refusal, gatedBut } = behaviour;
  if (refusal !== undefined && refusal.times !== 0) {
    if (refusal.times !== undefined) refusal.times -= 1;
    return refuse(response, refusal.status, refusal.headers);
  }
  if (gatedBut !== undefined && request.headers.authorization !== `Bearer ${gatedBut}`) {
    return refuse(response, request.headers.authorization === undefined ? 401 : 403, {
      "x-error-code": "GatedRepo",
    });
  }
  const name = repository === "" ? path : path.slice(`/${repository}/resolve/${commit}/`.length);
  const file = files.get(name);
  if (file === undefined) return refuse(response, 404, { "x-error-code": "EntryNotFound" });
  if (/\.(?:safetensors|gguf)$|\/blobs\//.test(name)) {
    // Another host than the hub's, as the real one's store is, with a signature in the address.
    const stored = `http://localhost:${storePort}/object?file=${encodeURIComponent(name)}&signature=secret`;
    response.writeHead(302, { location: behaviour.redirectTo ?? stored }).end();
    return;
  }
  response.writeHead(200, { "content-length": file.head.length }).end(file.head);
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { head, sizeBytes }: FileHead,
  { ignoreRanges, cutBodies }: Behaviour,
): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  if (ignoreRanges === true || first === undefined || last === undefined) {
    response.writeHead(200, { "content-length": sizeBytes }).write(head);
    return;
  }
  const from = Number(first);
  const to = Math.min(Number(last), sizeBytes - 1);
  if (from > to) return refuse(response, 416, { "content-range": `bytes */${sizeBytes}` });
  const body = Buffer.alloc(to - from + 1);
  if (from < head.length) head.copy(body, 0, from, Math.min(to + 1, head.length));
  response.writeHead(206, {
    "content-range": `bytes ${from}-${to}/${sizeBytes}`,
    "content-length": body.length,
  });
  if (cutBodies !== true) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, body.length / 2), () => response.destroy());
}

function refuse(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers).end();
}
