import { expect, test } from "vitest";
import { clusterLayout, preferredPorts } from "./configuration/layout.ts";
import { localWebhooks } from "./leader-worker-set.ts";

const layout = clusterLayout("demo", "/state/demo", "127.3", preferredPorts);

const shipped = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: "mutating-webhook-configuration" },
  webhooks: ["leaderworkersets", "pods"].map((resource) => ({
    name: `${resource}.kb.io`,
    clientConfig: { service: { name: "webhook-service", namespace: "system", path: `/mutate-${resource}` } },
    rules: [{ resources: [resource] }],
  })),
};

const [local] = localWebhooks([shipped], layout, Buffer.from("authority"));

test("webhooks are called by URL at the cluster's own address, with its authority", () => {
  expect(local?.webhooks.map((webhook) => webhook.clientConfig)).toEqual(
    ["leaderworkersets", "pods"].map((resource) => ({
      url: `https://127.3.255.254:26943/mutate-${resource}`,
      caBundle: Buffer.from("authority").toString("base64"),
    })),
  );
});

test("only pods of a LeaderWorkerSet go through the webhooks for pods", () => {
  expect(local?.webhooks.map((webhook) => "objectSelector" in webhook)).toEqual([false, true]);
});

test("the configurations have names that say whose they are", () => {
  expect(local?.metadata.name).toBe("lws-mutating-webhook-configuration");
});
