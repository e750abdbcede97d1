import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { Pod } from "../pod.ts";
import { keepFresh, tokenRequester } from "./account-token.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "operator-1", namespace: "system", uid: "u-1", resourceVersion: "1" },
  spec: { serviceAccountName: "operator", containers: [] },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("a token is asked for the pod's account, bound to the pod", async () => {
  const asked: unknown[] = [];
  const client = {
    create: async (type: { plural: string }, object: object, { subresource }: { subresource: string }) => {
      asked.push(`${type.plural}/${subresource}`, object);
      return { spec: { expirationSeconds: 3600 }, status: { token: "t" } };
    },
  } as unknown as KubeClient;
  const requestToken = tokenRequester(client, new AbortController().signal);
  expect(await requestToken(pod, { expirationSeconds: 3607 })).toEqual({ token: "t", lifeSeconds: 3600 });
  expect(asked).toEqual([
    "serviceaccounts/token",
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: { namespace: "system", name: "operator" },
      spec: {
        audiences: [],
        expirationSeconds: 3607,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "operator-1", uid: "u-1" },
      },
    },
  ]);
});

test("a token is replaced when four fifths of its life have passed, and an API server that says no is asked again", async () => {
  const path = join(folder, "token");
  const slept: number[] = [];
  const stop = new AbortController();
  const clock = {
    now: () => 0,
    sleep: async (milliseconds: number) => {
      slept.push(milliseconds / 1000);
      if (slept.length === 4) stop.abort();
    },
  };
  let requests = 0;
  const failures: unknown[] = [];
  const requestToken = async () => {
    requests += 1;
    if (requests === 1) throw new Error("no");
    return { token: `token-${requests}`, lifeSeconds: 1e6 };
  };
  const file = { path, spec: { expirationSeconds: 1000 }, lifeSeconds: 1000 };
  await keepFresh(file, pod, requestToken, clock, (error) => failures.push(String(error)), stop.signal);
  // The third token would live for days, and is used for one.
  expect(slept).toEqual([800, 10, 86_400, 86_400]);
  expect(failures).toEqual(["Error: no"]);
  expect(await readFile(path, "utf8")).toBe("token-3");
});
