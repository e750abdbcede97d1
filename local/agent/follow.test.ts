import { expect, test } from "vitest";
import {
  type KubeClient,
  type ListPage,
  ApiError,
  type KubeObject,
  type Live,
  resourceType,
} from "@llama-operator/kube-runtime/client";
import type { WatchEvent } from "@llama-operator/kube-runtime/connection";
import { follow } from "./follow.ts";

const type = resourceType<KubeObject>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
});

function object(name: string, resourceVersion: string): Live<KubeObject> {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "d", uid: name, resourceVersion } };
}

/** Answers lists and watches with what is given, in turn; after the last watch the following is stopped. */
function scripted(
  lists: readonly ListPage<KubeObject>[],
  watches: readonly (readonly (WatchEvent<KubeObject> | Error)[])[],
  stop: () => void,
): { readonly client: KubeClient; readonly from: string[] } {
  const from: string[] = [];
  let list = 0;
  let watch = 0;
  const client = {
    list: async () => lists[list++],
    watch: async function* (_: object, { resourceVersion }: { resourceVersion: string }) {
      from.push(resourceVersion);
      const events = watches[watch++];
      if (events === undefined) {
        stop();
        return;
      }
      for (const event of events) {
        if (event instanceof Error) throw event;
        await Promise.resolve();
        yield event;
      }
    },
  };
  return { client: client as unknown as KubeClient, from };
}

async function run(
  lists: readonly ListPage<KubeObject>[],
  watches: readonly (readonly (WatchEvent<KubeObject> | Error)[])[],
): Promise<{ readonly told: string[]; readonly from: string[] }> {
  const told: string[] = [];
  const stopping = new AbortController();
  const { client, from } = scripted(lists, watches, () => stopping.abort());
  const label = ({ metadata }: Live<KubeObject>): string => `${metadata.name}@${metadata.resourceVersion}`;
  await follow(
    client,
    type,
    {
      set: (each) => told.push(`set ${label(each)}`),
      remove: (each) => told.push(`remove ${label(each)}`),
      synced: () => told.push("synced"),
      failed: (error) => told.push(`failed ${error instanceof Error ? error.message : ""}`),
    },
    { now: () => 0, sleep: () => Promise.resolve() },
    stopping.signal,
  );
  return { told, from };
}

test("tells of what is listed, then of every change, and goes on watching where a watch ended", async () => {
  const { told, from } = await run(
    [{ items: [object("a", "1")], resourceVersion: "5" }],
    [
      [
        { type: "ADDED", object: object("b", "6") },
        { type: "BOOKMARK", resourceVersion: "9" },
      ],
      [
        { type: "MODIFIED", object: object("a", "10") },
        { type: "DELETED", object: object("b", "11") },
      ],
    ],
  );
  expect(told).toEqual(["set a@1", "synced", "set b@6", "set a@10", "remove b@11"]);
  expect(from).toEqual(["5", "9", "11"]);
});

test("lists again after an error, and tells what has gone meanwhile but not what is as it was", async () => {
  const expired = new ApiError("GET", { code: 410, reason: "Expired" });
  const { told } = await run(
    [
      { items: [object("a", "1"), object("b", "2")], resourceVersion: "5" },
      { items: [object("b", "2"), object("c", "7")], resourceVersion: "8" },
    ],
    [[expired], []],
  );
  expect(told).toEqual([
    "set a@1",
    "set b@2",
    "synced",
    "failed GET: 410 Expired:",
    "remove a@1",
    "set c@7",
    "synced",
  ]);
});
