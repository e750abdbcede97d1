import { describe, expect, test } from "vitest";
import type { Pod } from "../kubelet/pod.ts";
import { parseServiceHost, resolvePodName } from "./names.ts";
import type { Service } from "./service.ts";

describe("the name of a Service", () => {
  test.each([
    "llama-8b.default.svc",
    "llama-8b.default.svc.",
    "llama-8b.default.svc.cluster.local",
    "LLAMA-8B.default.SVC",
  ])("is read from %s", (host) => {
    expect(parseServiceHost(host)).toMatchObject({
      namespace: "default",
      name: expect.stringMatching(/^llama-8b$/i),
    });
  });

  test.each([
    "example.com",
    "llama-8b",
    "llama-8b.default",
    "a.b.default.svc",
    "127.0.0.1",
    "8b.default.svc",
    "",
  ])("is not in %j", (host) => {
    expect(parseServiceHost(host)).toBeUndefined();
  });
});

describe("the name of a pod", () => {
  const service = (publishNotReadyAddresses: boolean, clusterIP = "None"): ReadonlyMap<string, Service> =>
    new Map([
      [
        "models/group",
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "group", namespace: "models", uid: "s", resourceVersion: "1" },
          spec: { clusterIP, publishNotReadyAddresses },
        },
      ],
    ]);
  const pod = (ready: "True" | "False"): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "group-0", namespace: "models", uid: "p", resourceVersion: "1" },
    spec: { hostname: "group-0", subdomain: "group", containers: [] },
    status: { podIP: "127.9.0.1", conditions: [{ type: "Ready", status: ready }] },
  });

  test.each([
    ["group-0.group", "models"],
    ["group-0.group.models", "default"],
    ["group-0.group.models.svc", "default"],
    ["group-0.group.models.svc.cluster.local.", "default"],
    ["127.9.0.1", "default"],
  ])("%s resolves in namespace %s", (host, namespace) => {
    expect(resolvePodName(host, namespace, [pod("False")], service(true))).toBe("127.9.0.1");
  });

  test.each([
    ["another pod", "group-1.group", pod("True"), service(true)],
    ["another namespace", "group-0.group.default", pod("True"), service(true)],
    ["a Service that is not there", "group-0.group", pod("True"), new Map<string, Service>()],
    ["a Service that is not headless", "group-0.group", pod("True"), service(true, "10.96.0.1")],
    [
      "an unready pod of a Service that publishes only ready ones",
      "group-0.group",
      pod("False"),
      service(false),
    ],
    ["a bare name", "group-0", pod("True"), service(true)],
  ])("does not resolve for %s", (_, host, target, services) => {
    expect(resolvePodName(host, "models", [target], services)).toBeUndefined();
  });
});
