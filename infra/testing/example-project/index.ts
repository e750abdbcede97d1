// A little of everything that the projects use, for the test of what they are run with: a kind and an object of it
// that is waited for, plain objects, a secret, and a chart.

import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { CustomResourceDefinition } from "@pulumi/kubernetes/apiextensions/v1/customResourceDefinition.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { Config } from "@pulumi/pulumi/config.js";

const config = new Config();
const group = "engine-test.llama-operator.dev";
const kubeconfig = config.requireSecret("kubeconfig");
const provider = new Provider("cluster", { kubeconfig, clusterIdentifier: "local" });

const namespace = new Namespace("models", { metadata: { name: config.require("namespace") } }, { provider });
const metadata = { namespace: namespace.metadata.name };

const kind = new CustomResourceDefinition(
  "lamps",
  {
    metadata: { name: `lamps.${group}` },
    spec: {
      group,
      names: { kind: "Lamp", plural: "lamps" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", properties: { watts: { type: "integer", maximum: 100 } } },
                status: { type: "object", x_kubernetes_preserve_unknown_fields: true },
              },
            },
          },
        },
      ],
    },
  },
  { provider },
);

const lamp = new CustomResource(
  "lamp",
  {
    apiVersion: `${group}/v1`,
    kind: "Lamp",
    metadata: {
      ...metadata,
      name: "lamp",
      annotations: { "pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "60" },
    },
    spec: { watts: config.requireNumber("watts") },
  },
  { provider, dependsOn: kind, protect: config.getBoolean("protect") ?? false },
);

const greeting = new ConfigMap(
  "greeting",
  { metadata, data: { text: config.require("greeting") } },
  { provider },
);

const password = new Secret(
  "password",
  { metadata: { ...metadata, name: "password" }, stringData: { password: config.requireSecret("password") } },
  { provider },
);

const release = new Release(
  "chart",
  {
    name: "chart",
    namespace: namespace.metadata.name,
    chart: `${import.meta.dirname}/chart`,
    values: { text: config.require("chartText") },
    atomic: true,
    timeout: 30,
  },
  { provider, dependsOn: lamp },
);

export const greetingName = greeting.metadata.name;
export const secretData = password.data;
export const chartRevision = release.status.revision;
