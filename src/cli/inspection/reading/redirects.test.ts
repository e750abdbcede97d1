import { createServer, type RequestListener } from "node:http";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import { Agent } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { HttpClient } from "./http-client.ts";
import { ReadBudget } from "./read-budget.ts";
import { nextUrl } from "./redirects.ts";

const { signal } = new AbortController();

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(async () => closeServer(server));
  return `http://127.0.0.1:${await listen(server, { host: "127.0.0.1" })}`;
}

function clientWith(origin: string): { readonly client: HttpClient; readonly budget: ReadBudget } {
  const dispatcher = new Agent();
  onTestFinished(async () => dispatcher.destroy());
  const budget = new ReadBudget(1000);
  const wait = async (): Promise<void> => undefined;
  const token = { origin, token: "hf_secret" };
  return { client: new HttpClient({ dispatcher, userAgent: "test", budget, wait, token }), budget };
}

const document = async (client: HttpClient, url: string): Promise<string> =>
  (await client.document({ url: new URL(url), name: "document" }, 100, signal)).toString();

test.for([
  ["https://hub.test/a", "/b", "https://hub.test/b"],
  ["https://hub.test/a", "https://store.test/c?signature=1", "https://store.test/c?signature=1"],
  ["http://mirror.test/a", "https://store.test/c", "https://store.test/c"],
  ["http://mirror.test/a", "http://store.test/c", "http://store.test/c"],
] as const)("from %s, %s leads to %s", ([from, location, expected]) => {
  expect(nextUrl("file", new URL(from), location).href).toBe(expected);
});

test.for([
  ["https://hub.test/a", "http://hub.test/a"],
  ["https://hub.test/a", "file:///etc/passwd"],
  ["http://hub.test/a", "data:text/plain,x"],
  ["https://hub.test/a", "https://"],
  ["https://hub.test/a", undefined],
] as const)("from %s, %s is not followed", ([from, location]) => {
  expect(() => nextUrl("file", new URL(from), location)).toThrow(
    "file: hub.test redirects to an address that is not followed",
  );
});

test("a redirect whose body has no end is hung up on, and nothing of it is counted", async () => {
  const hungUp = Promise.withResolvers<void>();
  const origin = await serve((request, response) => {
    if (request.url === "/found") {
      response.end("found");
      return;
    }
    response.writeHead(302, { location: "/found" });
    const more = setInterval(() => response.write("x".repeat(10_000)), 5);
    response.on("close", () => {
      clearInterval(more);
      hungUp.resolve();
    });
  });
  const { client, budget } = clientWith(origin);
  expect(await document(client, `${origin}/start`)).toBe("found");
  await hungUp.promise;
  expect(budget.readBytes).toBe("found".length);
});

test("a token that another host did not see is sent again where it belongs", async () => {
  const seen: (readonly [string, string | undefined])[] = [];
  let origin = "";
  const other = await serve((request, response) => {
    seen.push(["other", request.headers.authorization]);
    response.writeHead(302, { location: `${origin}/found` }).end();
  });
  origin = await serve((request, response) => {
    seen.push([request.url ?? "", request.headers.authorization]);
    if (request.url === "/found") response.end("found");
    else response.writeHead(302, { location: `${other}/` }).end();
  });
  expect(await document(clientWith(origin).client, `${origin}/start`)).toBe("found");
  expect(seen).toEqual([
    ["/start", "Bearer hf_secret"],
    ["other", undefined],
    ["/found", "Bearer hf_secret"],
  ]);
});
