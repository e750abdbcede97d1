import { expect, test } from "vitest";

import { Unknown } from "../protocol/properties.ts";
import { providerConfiguration, replacingArguments } from "./configuration.ts";

test("switches travel as text", () => {
  expect(providerConfiguration({ kubeconfig: "k", upsertExistingObjects: "true" })).toEqual({
    kubeconfig: "k",
    upsertExistingObjects: true,
    deleteUnreachable: false,
    enableConfigMapMutable: false,
    enableSecretMutable: false,
    enablePatchForce: false,
  });
});

test("an argument wins over the variable of the same switch", () => {
  const environment = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true", PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" };
  expect(providerConfiguration({ enableSecretMutable: "false" }, environment)).toMatchObject({
    enablePatchForce: true,
    enableSecretMutable: false,
  });
});

test("what the double does not do is refused rather than ignored", () => {
  expect(() =>
    providerConfiguration({ renderYamlToDirectory: "out", enableServerSideApply: "false" }),
  ).toThrow("does not know: renderYamlToDirectory, enableServerSideApply: false");
});

test("another kubeconfig is another cluster, unless an identifier says that it is the same", () => {
  expect(replacingArguments({ kubeconfig: "a" }, { kubeconfig: "b" })).toEqual(["kubeconfig"]);
  expect(replacingArguments({ kubeconfig: "a" }, { kubeconfig: new Unknown() })).toEqual(["kubeconfig"]);
  const same = { clusterIdentifier: "one" };
  expect(replacingArguments({ kubeconfig: "a", ...same }, { kubeconfig: "b", ...same })).toEqual([]);
  expect(replacingArguments(same, { clusterIdentifier: "two" })).toEqual(["clusterIdentifier"]);
});
