import { expect, test } from "vitest";
import { serverSentEvents } from "./chat.ts";

async function* chunked(...chunks: readonly (string | Buffer)[]) {
  yield* chunks;
}

async function eventsOf(...chunks: readonly (string | Buffer)[]): Promise<readonly string[]> {
  const events: string[] = [];
  for await (const event of serverSentEvents(chunked(...chunks))) events.push(event);
  return events;
}

test("events are found wherever the network cuts them", async () => {
  expect(await eventsOf("data: one\n\ndata: t", "wo\n", "\ndata: [DONE]\n\n")).toEqual([
    "one",
    "two",
    "[DONE]",
  ]);
});

test("a character cut in half between two chunks is whole again", async () => {
  const bytes = Buffer.from("data: é\n\n");
  expect(await eventsOf(bytes.subarray(0, 7), bytes.subarray(7))).toEqual(["é"]);
});

test("comments are no events, and data of several lines is one", async () => {
  expect(await eventsOf(": keep-alive\n\ndata: a\ndata: b\r\n\r\n")).toEqual(["a\nb"]);
});
