import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { CloudStore } from "./store.ts";

let folder: string;
let store: CloudStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloud-"));
  store = new CloudStore(join(folder, "clouds.json"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("nothing is there at first, and changes that run at once lose nothing", async () => {
  expect(store.read()).toEqual({ serial: 0, account: {}, records: [] });
  const serials = await Promise.all(
    Array.from({ length: 20 }, async () =>
      store.change((state) => [{ ...state, serial: state.serial + 1 }, state.serial] as const),
    ),
  );
  expect(new Set(serials).size).toBe(20);
  expect(store.read().serial).toBe(20);
});

test("a change that throws leaves everything as it was, and the next one is not held up", async () => {
  await store.setAccount({ quotas: { gpus: 8 } });
  const failing = store.change(() => {
    throw new Error("refused");
  });
  await expect(failing).rejects.toThrow("refused");
  await store.setAccount({});
  expect(store.read().account).toEqual({});
});

test("requests are kept in their order", () => {
  expect(store.requests()).toEqual([]);
  const request = { package: "gcp", operation: "create", type: "T", name: "a", inputs: {} } as const;
  store.record(request);
  store.record({ ...request, name: "b", refusal: "quota" });
  expect(store.requests().map(({ name, refusal }) => [name, refusal])).toEqual([
    ["a", undefined],
    ["b", "quota"],
  ]);
});
