import { expect, test } from "vitest";
import type { KubeObject, Live } from "../client/object.ts";
import { compareResourceVersions } from "../client/resource-version.ts";
import { resourceType } from "../client/resource.ts";
import type { Cache } from "./cache.ts";
import { WriteTracker } from "./write-tracker.ts";

const things = resourceType<KubeObject>({
  group: "",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
});
const others = resourceType<KubeObject>({
  group: "",
  version: "v1",
  kind: "Other",
  plural: "others",
  namespaced: true,
});

/** Stands for one informer, at a resourceVersion. */
class CacheAt {
  at = "100";
  epoch = 0;
  waiters: string[] = [];
  readonly find = ((type: unknown) => (type === things ? this : undefined)) as unknown as Cache["find"];

  hasSeen(resourceVersion: string): boolean {
    return compareResourceVersions(this.at, resourceVersion) >= 0;
  }

  whenSeen(resourceVersion: string): void {
    this.waiters.push(resourceVersion);
  }

  lost = new Set<string>();

  hasLost({ metadata }: Live<KubeObject>): boolean {
    return this.lost.has(metadata.uid);
  }

  whenLost({ metadata }: Live<KubeObject>): void {
    this.waiters.push(`end of ${metadata.uid}`);
  }
}

const written = (resourceVersion: string): Live<KubeObject> => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "one", uid: "u", resourceVersion },
});

test("a key waits until the cache has seen its newest write", () => {
  const cache = new CacheAt();
  const tracker = new WriteTracker(cache);
  tracker.wroteAt("a", things, written("102"));
  tracker.wroteAt("a", things, written("101"));
  expect(tracker.pending("a")).toMatchObject({ resource: "things", resourceVersion: "102" });
  expect(tracker.pending("b")).toBeUndefined();
  cache.at = "101";
  expect(tracker.pending("a")).toBeDefined();
  cache.at = "1000";
  expect(tracker.pending("a")).toBeUndefined();
});

test("what waits is called when the informer gets there", () => {
  const cache = new CacheAt();
  const tracker = new WriteTracker(cache);
  tracker.wroteAt("a", things, written("102"));
  tracker.pending("a")?.whenSeen(() => undefined);
  expect(cache.waiters).toEqual(["102"]);
});

test("a write that the cache has seen already, or of a kind that is not cached, waits for nothing", () => {
  const tracker = new WriteTracker(new CacheAt());
  tracker.wroteAt("a", things, written("99"));
  tracker.wroteAt("a", others, written("500"));
  expect(tracker.pending("a")).toBeUndefined();
});

test("a store that was set back makes old writes meaningless", () => {
  const cache = new CacheAt();
  const tracker = new WriteTracker(cache);
  tracker.wroteAt("a", things, written("500"));
  cache.at = "50";
  cache.epoch = 1;
  expect(tracker.pending("a")).toBeUndefined();
  tracker.wroteAt("a", things, written("60"));
  expect(tracker.pending("a")).toMatchObject({ resourceVersion: "60" });
});

test("a key waits until the cache has lost what was deleted for it", () => {
  const cache = new CacheAt();
  const tracker = new WriteTracker(cache);
  tracker.deleted("a", things, written("99"));
  tracker.pending("a")?.whenSeen(() => undefined);
  expect(cache.waiters).toEqual(["end of u"]);
  expect(tracker.pending("b")).toBeUndefined();
  cache.lost.add("u");
  expect(tracker.pending("a")).toBeUndefined();
  tracker.deleted("a", things, written("99"));
  expect(tracker.pending("a")).toBeUndefined();
});
