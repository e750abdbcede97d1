import { expect, test } from "vitest";

import { Secret } from "../protocol/properties.ts";
import {
  asSent,
  checkpoint,
  checkpointFieldManager,
  checkpointInputs,
  checkpointLive,
  driftedInputs,
} from "./checkpoint.ts";

test("a state holds the live object and the inputs that made it", () => {
  const inputs = { apiVersion: "v1", kind: "ConfigMap", data: { a: "b" } };
  const live = { ...inputs, metadata: { uid: "1", managedFields: [{ manager: "m" }] } };
  const state = checkpoint(inputs, live, "pulumi-kubernetes-x");
  expect(checkpointInputs(state)).toEqual(inputs);
  expect(checkpointLive(state)).toEqual({ ...inputs, metadata: { uid: "1" } });
  expect(checkpointFieldManager(state)).toBe("pulumi-kubernetes-x");
});

test("what the server makes of a Secret's text is as secret as the text", () => {
  const inputs = { apiVersion: "v1", kind: "Secret", stringData: new Secret({ token: "t" }) };
  const live = { apiVersion: "v1", kind: "Secret", data: { token: "dA==" } };
  expect(checkpoint(inputs, live, "m")["data"]).toEqual(new Secret({ token: "dA==" }));
});

test("a CRD's field names are TypeScript's in the state and Kubernetes' on the wire", () => {
  const inputs = { kind: "CustomResourceDefinition", spec: [{ x_kubernetes_list_type: "map" }] };
  expect(asSent(inputs)).toEqual({
    kind: "CustomResourceDefinition",
    spec: [{ "x-kubernetes-list-type": "map" }],
  });
  expect(checkpoint(inputs, asSent(inputs), "m")["spec"]).toEqual([{ x_kubernetes_list_type: "map" }]);
});

test("drift is what has changed since the object was recorded, not what the server has made of the inputs", () => {
  const inputs = { spec: { cpu: "1000m", replicas: 1, gone: "x" }, stringData: { token: "t" } };
  const recorded = { spec: { cpu: "1", replicas: 1, gone: "x", defaulted: true }, data: { token: "dA==" } };
  const live = { spec: { cpu: "1", replicas: 3, defaulted: true }, data: { token: "dA==" } };
  expect(driftedInputs(inputs, recorded, live)).toEqual({
    spec: { cpu: "1000m", replicas: 3 },
    stringData: { token: "t" },
  });
});
