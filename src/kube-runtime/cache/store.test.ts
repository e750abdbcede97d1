import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubeObject, Live } from "../client/object.ts";
import { ObjectStore } from "./store.ts";

type Thing = KubeObject & { readonly color: string };

function thing(name: string, resourceVersion: number, color = "red", uid = `uid-${name}`): Live<Thing> {
  const metadata = { name, namespace: "a", uid, resourceVersion: String(resourceVersion) };
  return { apiVersion: "v1", kind: "Thing", metadata, color };
}

const newStore = (): ObjectStore<Thing> => new ObjectStore<Thing>({ color: (object) => [object.color] });

describe("a store", () => {
  test("finds an object by name, by namespace and by index", () => {
    const store = newStore();
    const red = thing("one", 1);
    store.put(red);
    store.put(thing("two", 2, "blue"));
    expect(store.get({ namespace: "a", name: "one" })).toBe(red);
    expect(store.list("a")).toHaveLength(2);
    expect(store.list("b")).toEqual([]);
    expect(store.byIndex("color", "red")).toEqual([red]);
  });

  test("refuses an index that was not declared", () => {
    expect(() => newStore().byIndex("colour", "red")).toThrow(RangeError);
  });

  test("moves an object to its new place in an index", () => {
    const store = newStore();
    store.put(thing("one", 1));
    store.put(thing("one", 2, "blue"));
    expect(store.byIndex("color", "red")).toEqual([]);
    expect(store.byIndex("color", "blue")).toHaveLength(1);
  });

  test("ignores an event older than what it has, also 9 before 10", () => {
    const store = newStore();
    store.put(thing("one", 10, "blue"));
    expect(store.put(thing("one", 9))).toBeUndefined();
    expect(store.put(thing("one", 10))).toBeUndefined();
    expect(store.byIndex("color", "blue")).toHaveLength(1);
  });

  test("takes a new object of the same name, and ignores the deletion of the old one that comes late", () => {
    const store = newStore();
    store.put(thing("one", 5, "red", "first"));
    store.put(thing("one", 9, "blue", "second"));
    expect(store.remove(thing("one", 7, "red", "first"))).toBeUndefined();
    expect(store.size).toBe(1);
  });

  test("replaces all by a list, tells the difference, and lets a list go back in time", () => {
    const store = newStore();
    for (const name of ["kept", "changed", "gone"]) store.put(thing(name, 100));
    const changes = store.replace([thing("kept", 100), thing("changed", 50, "blue"), thing("new", 40)]);
    expect(changes.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      "updated changed",
      "added new",
      "deleted gone",
    ]);
    expect(store.byIndex("color", "blue")).toHaveLength(1);
  });
});

test("after any events, every index holds exactly what the objects say", () => {
  const event = fc.record({
    kind: fc.constantFrom("put", "remove", "replace"),
    name: fc.constantFrom("a", "b", "c"),
    color: fc.constantFrom("red", "blue"),
    uid: fc.constantFrom("u1", "u2"),
    age: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const store = newStore();
      for (const { kind, name, color, uid, age } of events) {
        const object = thing(name, age, color, uid);
        if (kind === "put") store.put(object);
        else if (kind === "remove") store.remove(object);
        else store.replace([object]);
        const all = store.list();
        for (const shade of ["red", "blue"]) {
          const found = store.byIndex("color", shade);
          expect(new Set(found)).toEqual(new Set(all.filter((one) => one.color === shade)));
        }
        expect(store.list("a")).toHaveLength(all.length);
      }
    }),
  );
});
