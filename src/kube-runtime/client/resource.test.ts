import { describe, expect, test } from "vitest";
import { compareResourceVersions } from "./resource-version.ts";
import { objectKey, parseObjectKey } from "./object.ts";
import { apiVersionOf, resourceName, resourcePath, resourceType } from "./resource.ts";

const pods = resourceType({ group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true });
const nodes = resourceType({ group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false });
const leases = resourceType({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
});

describe("the path of a resource", () => {
  test.each([
    [pods, {}, "/api/v1/pods"],
    [pods, { namespace: "a" }, "/api/v1/namespaces/a/pods"],
    [pods, { namespace: "a", name: "b", subresource: "status" }, "/api/v1/namespaces/a/pods/b/status"],
    [nodes, { name: "n1" }, "/api/v1/nodes/n1"],
    [leases, { namespace: "a", name: "b" }, "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"],
  ])("%#", (type, at, path) => {
    expect(resourcePath(type, at)).toBe(path);
  });

  test("never leaves its place, whatever a name holds", () => {
    expect(resourcePath(pods, { namespace: "a", name: "b/../../secrets" })).toBe(
      "/api/v1/namespaces/a/pods/b%2F..%2F..%2Fsecrets",
    );
    expect(() => resourcePath(pods, { namespace: "a", name: ".." })).toThrow(TypeError);
  });

  test("needs a namespace exactly where the kind has one", () => {
    expect(() => resourcePath(pods, { name: "b" })).toThrow("needs a namespace");
    expect(() => resourcePath(nodes, { namespace: "a", name: "b" })).toThrow("cluster-scoped");
  });
});

test("a kind's apiVersion and its name for people", () => {
  expect([apiVersionOf(pods), apiVersionOf(leases)]).toEqual(["v1", "coordination.k8s.io/v1"]);
  expect([resourceName(pods), resourceName(leases)]).toEqual(["pods", "leases.coordination.k8s.io"]);
});

test("an object's key and its reference are the same", () => {
  for (const ref of [{ namespace: "a", name: "b" }, { name: "b" }]) {
    expect(parseObjectKey(objectKey(ref))).toEqual(ref);
  }
});

test("resourceVersions are ordered as integers", () => {
  const sorted = ["100", "9", "10", "9007199254740993", "9007199254740992"].sort(compareResourceVersions);
  expect(sorted).toEqual(["9", "10", "100", "9007199254740992", "9007199254740993"]);
});
