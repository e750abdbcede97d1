import { beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { InMemoryApiServer, foregroundFinalizer } from "./in-memory-server.ts";

interface Thing extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const things = resourceType<Thing>({
  group: "example.dev",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
});
const ref = { namespace: "a", name: "thing" };

function thing(spec: Record<string, unknown>, more: Partial<Thing> = {}): Thing {
  return { apiVersion: "example.dev/v1", kind: "Thing", metadata: { ...ref }, spec, ...more };
}

let server: InMemoryApiServer;

beforeEach(() => {
  server = new InMemoryApiServer({
    now: () => Date.parse("2026-01-01T00:00:00Z"),
    rules: {
      "things.example.dev": {
        statusSubresource: true,
        generation: true,
        graceSeconds: (object) => (object as Thing).spec?.["grace"] as number | undefined,
      },
    },
  });
});

const apply = (manager: string, spec: Record<string, unknown>, force = true) =>
  server.apply(things, thing(spec), { manager, force });
const specOf = () => server.get(things, ref)?.spec;

describe("server-side apply", () => {
  test("a field that is no longer applied goes, one of others stays", () => {
    apply("one", { mine: 1, shared: { one: 1 } });
    apply("two", { shared: { two: 2 } });
    apply("one", { mine: 1 });
    expect(specOf()).toEqual({ mine: 1, shared: { two: 2 } });
  });

  test("a field that two have applied alike goes with the second of them", () => {
    apply("one", { both: 1 });
    apply("two", { both: 1 });
    apply("one", { other: 1 });
    expect(specOf()).toEqual({ both: 1, other: 1 });
    apply("two", { another: 1 });
    expect(specOf()).toEqual({ other: 1, another: 1 });
  });

  test("without force another's field is a conflict, with force it is taken over", () => {
    apply("one", { field: 1 });
    expect(() => apply("two", { field: 2 }, false)).toThrow(/409 Conflict.*\.spec\.field of one/);
    apply("two", { field: 2 });
    apply("one", { rest: 1 });
    expect(specOf()).toEqual({ field: 2, rest: 1 });
  });

  test("what somebody has updated is theirs, and a conflict for who applies it", () => {
    apply("one", { field: 1 });
    server.patch(things, ref, { spec: { field: 2 } }, { manager: "person" });
    expect(() => apply("one", { field: 1 }, false)).toThrow(/of person/);
    expect(apply("one", { field: 1 }).spec).toEqual({ field: 1 });
  });

  test("lists with keys are merged item by item, others are replaced whole", () => {
    apply("one", { env: [{ name: "a", value: "1" }], args: ["x", "y"] });
    apply("two", { env: [{ name: "b", value: "2" }] });
    apply("one", { env: [{ name: "a", value: "3" }], args: ["z"] });
    expect(specOf()).toEqual({
      env: [
        { name: "a", value: "3" },
        { name: "b", value: "2" },
      ],
      args: ["z"],
    });
    apply("two", { none: true });
    expect(specOf()?.["env"]).toEqual([{ name: "a", value: "3" }]);
  });

  test("what changes nothing makes no new version", () => {
    const first = apply("one", { field: 1 });
    expect(apply("one", { field: 1 }).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test("an object of another uid is refused", () => {
    apply("one", { field: 1 });
    const intent = thing({ field: 1 }, { metadata: { ...ref, uid: "another" } });
    expect(() => server.apply(things, intent, { manager: "one", force: true })).toThrow(/422 Invalid/);
    server.remove(things, ref);
    expect(() => server.apply(things, intent, { manager: "one", force: true })).toThrow(/409 Conflict/);
  });

  test("fields that were loaded with their managers are taken back by them", () => {
    const managedFields = [
      { manager: "one", operation: "Apply", fieldsV1: { "f:spec": { "f:old": {}, "f:kept": {} } } },
    ];
    const metadata = { ...ref, uid: "u", resourceVersion: "77", managedFields };
    server.load(things, { ...thing({ old: 1, kept: 1 }), metadata });
    expect(server.get(things, ref)?.metadata).toEqual({ ...ref, uid: "u", resourceVersion: "77" });
    apply("one", { kept: 1 });
    expect(specOf()).toEqual({ kept: 1 });
  });
});

describe("status and generation", () => {
  test("are apart: a write of one leaves the other", () => {
    server.create(things, thing({ field: 1 }, { status: { ready: true } }));
    expect(server.get(things, ref)).not.toHaveProperty("status");
    server.setStatus(things, ref, { ready: true });
    server.update(things, thing({ field: 2 }, { status: { ready: false } }));
    expect(server.get(things, ref)).toMatchObject({ spec: { field: 2 }, status: { ready: true } });
    expect(server.get(things, ref)?.metadata.generation).toBe(2);
  });

  test("an update from an older version is a conflict", () => {
    const { metadata } = server.create(things, thing({ field: 1 }));
    server.setStatus(things, ref, { ready: true });
    expect(() => server.update(things, thing({ field: 2 }, { metadata: { ...metadata } }))).toThrow(
      /409 Conflict/,
    );
  });
});

describe("deletion", () => {
  test("waits for its grace, which a second one can shorten and end", () => {
    server.create(things, thing({ grace: 30 }));
    server.delete(things, ref);
    expect(server.get(things, ref)?.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:30Z",
      deletionGracePeriodSeconds: 30,
      generation: 2,
    });
    server.delete(things, ref, { gracePeriodSeconds: 5 });
    expect(server.get(things, ref)?.metadata.deletionTimestamp).toBe("2026-01-01T00:00:05Z");
    server.delete(things, ref, { gracePeriodSeconds: 0 });
    expect(server.get(things, ref)).toBeUndefined();
  });

  test("in the foreground waits for the finalizer to be taken off", () => {
    server.create(things, thing({}));
    server.delete(things, ref, { propagationPolicy: "Foreground" });
    const live = server.get(things, ref);
    expect(live?.metadata.finalizers).toEqual([foregroundFinalizer]);
    if (live === undefined) throw new Error("it is there");
    server.update(things, { ...live, metadata: { ...live.metadata, finalizers: [] } });
    expect(server.get(things, ref)).toBeUndefined();
  });

  test("of another uid is a conflict, and of nothing is no error", () => {
    server.create(things, thing({}));
    expect(() => server.delete(things, ref, { preconditions: { uid: "another" } })).toThrow(/409 Conflict/);
    server.remove(things, ref);
    expect(server.delete(things, ref)).toBe(false);
  });
});
