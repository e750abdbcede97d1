import { setTimeout } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, expect, test } from "vitest";
import { InspectionError } from "../errors.ts";
import { findOnHub } from "../places/hub.ts";
import { rawSafetensors, textFile } from "../testing/checkpoint-files.ts";
import { startFakeHub } from "../testing/fake-hub.ts";
import type { FakeHub } from "../testing/fake-hub.ts";
import { HttpClient } from "./http-client.ts";
import type { HttpClientOptions } from "./http-client.ts";
import { openHttp } from "./http-source.ts";
import { ReadBudget } from "./read-budget.ts";

const repository = "meta-llama/Llama-3.1-8B";
const commit = "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b";
const { signal } = new AbortController();

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Given {
  readonly token?: string;
  readonly maxBytes?: number;
  readonly wait?: HttpClientOptions["wait"];
}

async function scene(given: Given = {}) {
  const hub = await startFakeHub({
    repository,
    commit,
    files: new Map([
      ["config.json", textFile("{}")],
      ["model.safetensors", rawSafetensors("{}".padEnd(100_000), 2 ** 34)],
    ]),
  });
  const dispatcher = new Agent();
  open.push(
    () => hub.close(),
    () => dispatcher.destroy(),
  );
  const waits: number[] = [];
  const client = new HttpClient({
    dispatcher,
    userAgent: "test",
    budget: new ReadBudget(given.maxBytes ?? 1_000_000),
    wait: given.wait ?? (async (milliseconds) => waits.push(milliseconds)),
    ...(given.token === undefined ? {} : { token: { origin: hub.url, token: given.token } }),
  });
  return { hub, client, waits };
}

const find = (client: HttpClient, hub: FakeHub, revision = "main", name = repository) =>
  findOnHub(client, new URL(hub.url), { repository: name, revision }, signal);

const openModel = async (client: HttpClient, hub: FakeHub) =>
  (await find(client, hub)).folder.open("model.safetensors", signal);

const failure = async (promise: Promise<unknown>): Promise<InspectionError> => {
  const error: unknown = await promise.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InspectionError);
  return error as InspectionError;
};

test("a branch is resolved to its commit, and files are asked for at the commit", async () => {
  const { hub, client } = await scene();
  const { commit: found, folder } = await find(client, hub);
  expect(found).toBe(commit);
  expect(await folder.readText("config.json", 100, signal)).toBe("{}");
  expect(hub.requests.map(({ path }) => path)).toEqual([
    `/api/models/${repository}/revision/main`,
    `/${repository}/resolve/${commit}/config.json`,
  ]);
});

test("a token goes to the hub and not to the host that the hub redirects to", async () => {
  const { hub, client } = await scene({ token: "hf_secret" });
  await openModel(client, hub);
  const seen = (server: string) => hub.requests.filter((request) => request.server === server);
  expect(seen("hub").map(({ authorization }) => authorization)).toEqual([
    "Bearer hf_secret",
    "Bearer hf_secret",
  ]);
  expect(seen("store").map(({ authorization }) => authorization)).toEqual([undefined]);
});

test("a head is read in one range, and more in a second, of a file of 16 GiB", async () => {
  const { hub, client } = await scene();
  const source = await openModel(client, hub);
  expect(source.sizeBytes).toBe(100_008 + 2 ** 34);
  expect((await source.read(8, 10, signal)).toString()).toBe("{}        ");
  await source.read(8, 100_000, signal);
  const ranges = hub.requests.filter(({ server }) => server === "store").map(({ range }) => range);
  expect(ranges).toEqual(["bytes=0-65535", "bytes=8-100007"]);
});

test("a range beyond the file is refused before anything is asked", async () => {
  const { hub, client } = await scene();
  const source = await openModel(client, hub);
  const { code, message } = await failure(source.read(2 ** 35, 10, signal));
  expect(code).toBe("malformed");
  expect(message).toContain("truncated");
});

test("a server that ignores ranges is hung up on", async () => {
  const { hub, client } = await scene();
  hub.behaviour.ignoreRanges = true;
  const { code, message } = await failure(openModel(client, hub));
  expect(code).toBe("unreachable");
  expect(message).toContain(
    `the server ignores ranges and would send the whole file (${100_008 + 2 ** 34} bytes)`,
  );
  expect(message).not.toContain("signature");
});

test("a body that is cut is tried three times, with longer waits", async () => {
  const { hub, client, waits } = await scene();
  hub.behaviour.cutBodies = true;
  const { code, message } = await failure(openModel(client, hub));
  expect(code).toBe("unreachable");
  expect(message).toContain("broke off after");
  expect(waits).toEqual([1000, 2000]);
});

test.each([
  ["Retry-After", { "retry-after": "7" }],
  ["the hub's RateLimit", { ratelimit: '"resolvers";r=0;t=7' }],
])("too many requests are tried again after what %s says", async (_name, headers) => {
  const { hub, client, waits } = await scene();
  hub.behaviour.refuse = { status: 429, headers, times: 1 };
  await openModel(client, hub);
  expect(waits).toEqual([7000]);
});

test("a wait of minutes is told instead of waited", async () => {
  const { hub, client, waits } = await scene();
  hub.behaviour.refuse = { status: 429, headers: { "retry-after": "240" } };
  const { message } = await failure(openModel(client, hub));
  expect(message).toContain("too many requests (429); try again in 240 s");
  expect(waits).toEqual([]);
});

test("a gated repository says where to accept its licence, with and without a token", async () => {
  const without = await scene();
  without.hub.behaviour.gatedBut = "hf_other";
  const first = await failure(openModel(without.client, without.hub));
  expect(first.code).toBe("denied");
  expect(first.message).toContain(
    `is gated: accept its licence at ${without.hub.url}/${repository}, and give a token`,
  );
  const withToken = await scene({ token: "hf_secret" });
  withToken.hub.behaviour.gatedBut = "hf_other";
  const second = await failure(openModel(withToken.client, withToken.hub));
  expect(second.message).toContain("the token's account has no access");
  expect(second.message).not.toContain("hf_secret");
});

test("what is not there is named: repository, revision, file", async () => {
  const { hub, client } = await scene();
  expect((await failure(find(client, hub, "main", "nobody/nothing"))).message).toContain(
    "no such repository",
  );
  expect((await failure(find(client, hub, "v9"))).message).toBe(`${repository} has no revision "v9"`);
  const { folder } = await find(client, hub);
  expect((await failure(folder.open("other.safetensors", signal))).message).toContain(
    "no such file at this revision",
  );
});

test("a redirect to what is no web address, and one without end, are not followed", async () => {
  const { hub, client } = await scene();
  hub.behaviour.redirectTo = "file:///etc/passwd";
  expect((await failure(openModel(client, hub))).message).toContain(
    "redirects to an address that is not followed",
  );
  hub.behaviour.redirectTo = `/${repository}/resolve/${commit}/model.safetensors`;
  expect((await failure(openModel(client, hub))).message).toContain("more than 5 redirects");
});

test("a document beyond its bound, and reads beyond the budget, are given up", async () => {
  const { hub, client } = await scene();
  const { folder } = await find(client, hub);
  expect((await failure(folder.readText("config.json", 1, signal))).code).toBe("tooLarge");
  const poor = await scene({ maxBytes: 1000 });
  const target = {
    url: new URL(`${poor.hub.url}/${repository}/resolve/${commit}/model.safetensors`),
    name: "model",
  };
  expect((await failure(openHttp(poor.client, target, 65_536, signal))).code).toBe("tooLarge");
});

test("an abort ends a request with the abort's own reason", async () => {
  const { hub, client } = await scene();
  const stopping = new AbortController();
  const { folder } = await find(client, hub);
  const reading = folder.open("model.safetensors", stopping.signal);
  stopping.abort(new Error("stopped by hand"));
  await expect(reading).rejects.toThrow("stopped by hand");
});

test("an abort ends a wait between two tries with the abort's own reason", async () => {
  const stopping = new AbortController();
  const { hub, client } = await scene({
    wait: async (milliseconds, signal) => {
      stopping.abort(new Error("stopped by hand"));
      await setTimeout(milliseconds, undefined, { signal });
    },
  });
  const { folder } = await find(client, hub);
  hub.behaviour.refuse = { status: 503 };
  await expect(folder.open("model.safetensors", stopping.signal)).rejects.toThrow("stopped by hand");
});

test("a server that is not there is named, and nothing of the request", async () => {
  const { client } = await scene();
  const url = new URL("http://127.0.0.1:9/file?signature=secret");
  const { code, message } = await failure(client.document({ url, name: "file" }, 10, signal));
  expect(code).toBe("unreachable");
  expect(message).toMatch(/^file: 127\.0\.0\.1:9 does not answer \(/);
  expect(message).not.toContain("secret");
});
