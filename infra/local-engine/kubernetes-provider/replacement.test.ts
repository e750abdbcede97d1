import { expect, test } from "vitest";

import { replacingPaths } from "./replacement.ts";

const immutable = { enableConfigMapMutable: false, enableSecretMutable: false };
const mutable = { enableConfigMapMutable: true, enableSecretMutable: true };

test("a Deployment is replaced for its selector", () => {
  expect(replacingPaths({ apiVersion: "apps/v1", kind: "Deployment" }, immutable)).toContain("spec.selector");
});

test("a ConfigMap's data needs a new one, unless the provider may change it", () => {
  const configMap = { apiVersion: "v1", kind: "ConfigMap" };
  expect(replacingPaths(configMap, immutable)).toContain("data");
  expect(replacingPaths(configMap, mutable)).not.toContain("data");
  expect(replacingPaths({ ...configMap, immutable: true }, mutable)).toContain("data");
});

test("a custom resource is replaced for its identity alone", () => {
  const paths = replacingPaths({ apiVersion: "example.com/v1", kind: "Thing" }, immutable);
  expect(paths).toEqual(["apiVersion", "kind", "metadata.name", "metadata.namespace"]);
});
