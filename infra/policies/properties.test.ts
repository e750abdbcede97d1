import { expect, test } from "vitest";
import { Properties } from "./properties.ts";

/** As @pulumi/policy's proxy does it: what is not known in a preview throws when it is read. */
const withUnknown = (known: Readonly<Record<string, unknown>>, unknown: string): unknown =>
  new Proxy(known, {
    get: (target, name) => {
      if (name === unknown) throw new Error(`string value at .${unknown} can't be known during preview`);
      return Reflect.get(target, name);
    },
  });

test("values are read by their path, and only those of the right type", () => {
  const pool = new Properties({
    nodeConfig: { machineType: "a3", spot: true },
    nodeCount: 2,
    tags: ["a", 1],
  });
  expect(pool.text("nodeConfig.machineType")).toBe("a3");
  expect(pool.text("nodeCount")).toBeUndefined();
  expect(pool.number("nodeCount")).toBe(2);
  expect(pool.isTrue("nodeConfig.spot")).toBe(true);
  expect(pool.isFalse("nodeConfig.spot")).toBe(false);
  expect(pool.text("nodeConfig.disk.type")).toBeUndefined();
  expect(pool.texts("tags")).toEqual(["a"]);
});

test("what is not known yet is absent as a value, and there as something that is set", () => {
  const pool = new Properties(withUnknown({ count: 2 }, "reservation"));
  expect(pool.text("reservation")).toBeUndefined();
  expect(pool.has("reservation")).toBe(true);
  expect(pool.text("reservation.name")).toBeUndefined();
  expect(pool.has("zone")).toBe(false);
  expect(pool.number("count")).toBe(2);
});

test("a list is counted even where its elements are not known", () => {
  const pool = new Properties({ subnets: withUnknown({ 0: "a" }, "1") });
  expect(pool.count("subnets")).toBe(0);
  const list: unknown = new Proxy(["a", "b"], {
    get: (target, name) => {
      if (name === "1") throw new Error("unknown");
      return Reflect.get(target, name);
    },
  });
  expect(new Properties({ subnets: list }).count("subnets")).toBe(2);
  expect(new Properties({ subnets: list }).texts("subnets")).toEqual(["a"]);
});

test("booleans that a cloud writes as text are booleans", () => {
  const template = new Properties({ a: "true", b: "false" });
  expect([template.isTrue("a"), template.isFalse("b"), template.isTrue("b")]).toEqual([true, true, false]);
});
