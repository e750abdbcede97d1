// The client against the real API server: what a server of our own could only imitate.
import { describe, expect, test } from "vitest";
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from "../../src/kube-runtime/client/errors.ts";
import { resourceType } from "../../src/kube-runtime/client/resource.ts";
import { sharedCluster, testNamespace } from "../support/cluster.ts";
import { configMap, configMaps, connectedClient } from "../support/kube-client.ts";

const cluster = sharedCluster();
const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("objects", () => {
  test("are created once, replaced and patched only as last read, and deleted only as last seen", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const ref = { namespace, name: "one" };
    const created = await client.create(configMaps, configMap(namespace, "one", { a: "1" }));
    expect(isAlreadyExists(await failure(client.create(configMaps, configMap(namespace, "one"))))).toBe(true);
    const changed = await client.mergePatch(configMaps, ref, { data: { a: "2" } });
    const { resourceVersion } = created.metadata;
    const stale = [
      client.replace(configMaps, created),
      client.mergePatch(configMaps, ref, { data: { a: "3" } }, { resourceVersion }),
      client.delete(configMaps, ref, { preconditions: { resourceVersion } }),
      client.delete(configMaps, ref, { preconditions: { uid: "11111111-1111-1111-1111-111111111111" } }),
    ];
    const outcomes = await Promise.all(stale.map(failure));
    expect(outcomes.map(isConflict)).toEqual([true, true, true, true]);
    expect(await client.get(configMaps, ref)).toEqual(changed);
    expect(await client.delete(configMaps, ref, { preconditions: { uid: created.metadata.uid } })).toBe(true);
    expect(await client.delete(configMaps, ref)).toBe(false);
    expect(isNotFound(await failure(client.get(configMaps, ref)))).toBe(true);
  });

  test("that break a rule are refused with the field that does", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const refused = await failure(client.create(configMaps, configMap(namespace, "Not_A_Name")));
    expect(isInvalid(refused)).toBe(true);
    expect(refused).toMatchObject({ causes: [{ field: "metadata.name" }] });
  });

  test("are applied for one manager, whose fields go when it stops wanting them", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const apply = async (fieldManager: string, data: Record<string, string>, force = true) =>
      client.apply(configMaps, configMap(namespace, "one", data), { fieldManager, force });
    await apply("first", { a: "1", b: "1" });
    await apply("second", { c: "1" });
    expect((await apply("first", { a: "1" })).data).toEqual({ a: "1", c: "1" });
    const conflict = await failure(apply("second", { a: "2" }, false));
    expect(isConflict(conflict)).toBe(true);
    expect(conflict).toMatchObject({ causes: [{ field: ".data.a", reason: "FieldManagerConflict" }] });
    expect((await apply("second", { a: "2" })).data).toEqual({ a: "2" });
  });
});

describe("lists and watches", () => {
  test("pages are of one moment, and a watch from there misses nothing and repeats nothing", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const labels = { of: "this-test" };
    const make = async (name: string) => {
      const object = configMap(namespace, name);
      return client.create(configMaps, { ...object, metadata: { ...object.metadata, labels } });
    };
    for (let index = 0; index < 5; index += 1) await make(`map-${index}`);
    const names: string[] = [];
    const versions = new Set<string>();
    const selection = { namespace, labelSelector: "of=this-test" };
    for await (const page of client.pages(configMaps, { ...selection, limit: 2 })) {
      expect(page.items.length).toBeLessThanOrEqual(2);
      names.push(...page.items.map((item) => item.metadata.name));
      versions.add(page.resourceVersion);
      if (names.length === 2) await make("later");
    }
    expect(names).toEqual(["map-0", "map-1", "map-2", "map-3", "map-4"]);
    const [resourceVersion = ""] = versions;
    expect(versions.size).toBe(1);
    for await (const event of client.watch(configMaps, {
      ...selection,
      resourceVersion,
      timeoutSeconds: 5,
    })) {
      if (event.type === "BOOKMARK") continue;
      expect([event.type, event.object.metadata.name]).toEqual(["ADDED", "later"]);
      break;
    }
  });

  test("a watch ends by itself when its time is over", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const { resourceVersion } = await client.list(configMaps, { namespace: "default" });
    const seen: string[] = [];
    const options = { namespace: "default", resourceVersion, timeoutSeconds: 1 };
    for await (const event of client.watch(configMaps, options)) seen.push(event.type);
    expect(seen.filter((type) => type !== "BOOKMARK")).toEqual([]);
  });

  test("fifty objects first, then as many as make about half a megabyte, five hundred at most", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const makers = Array.from({ length: 16 }, async (_, worker) => {
      for (let index = worker; index < 520; index += 16) {
        await client.create(configMaps, configMap(namespace, `map-${index}`));
      }
    });
    await Promise.all(makers);
    const sizes: number[] = [];
    for await (const page of client.pages(configMaps, { namespace })) sizes.push(page.items.length);
    expect(sizes).toEqual([50, expect.any(Number)]);
    expect(sizes[1]).toBeGreaterThanOrEqual(470);
  });
});

test("a kind is served or not", async () => {
  const client = await connectedClient(cluster.kubeconfigPath);
  const imagined = {
    group: "imagined.dev",
    version: "v1",
    kind: "Thing",
    plural: "things",
    namespaced: true,
  };
  expect(await client.serves(configMaps)).toBe(true);
  expect(await client.serves(resourceType(imagined))).toBe(false);
  expect(await client.serves(resourceType({ ...imagined, group: "apps" }))).toBe(false);
});
