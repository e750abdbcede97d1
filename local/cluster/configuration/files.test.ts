import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { kubeconfig, kwokConfiguration, newTokens, schedulerConfiguration, tokenFile } from "./files.ts";
import { clusterLayout, clusterUsers, preferredPorts } from "./layout.ts";

const layout = clusterLayout("demo", "/state/demo", "127.3", preferredPorts);

test("every user of the API server has a token of its own and a line in the token file", () => {
  const tokens = newTokens();
  const lines = tokenFile(tokens).trimEnd().split("\n");
  expect(lines).toHaveLength(clusterUsers.length);
  expect(new Set(Object.values(tokens)).size).toBe(clusterUsers.length);
  expect(lines[0]).toBe(`${tokens.admin},admin,admin,"system:masters"`);
});

test("the controller manager and the scheduler have the rights of their roles, no more", () => {
  const lines = tokenFile(newTokens()).split("\n");
  for (const user of ["system:kube-controller-manager", "system:kube-scheduler"]) {
    expect(lines.find((line) => line.includes(`,${user},`))).toMatch(/"system:authenticated"$/);
  }
});

test("the administrator's kubeconfig names the cluster, so that several can be merged", () => {
  const config = parse(kubeconfig(layout, Buffer.from("authority"), "admin", "secret"));
  expect(config["current-context"]).toBe("llama-operator-demo");
  expect(config.clusters[0].cluster).toEqual({
    server: "https://127.3.255.254:26443",
    "certificate-authority-data": Buffer.from("authority").toString("base64"),
  });
  expect(config.users[0].user).toEqual({ token: "secret" });
});

test("packing scores nodes by the GPUs taken and outweighs the spreading of replicas", () => {
  const [profile] = parse(schedulerConfiguration(layout, "pack")).profiles;
  expect(profile.pluginConfig[0].args.scoringStrategy).toEqual({
    type: "MostAllocated",
    resources: [{ name: "nvidia.com/gpu", weight: 1 }],
  });
  expect(profile.plugins.multiPoint.enabled[0].weight).toBeGreaterThan(2);
});

test("spreading leaves the scheduler's own scores", () => {
  expect(parse(schedulerConfiguration(layout, "spread")).profiles).toEqual([
    { schedulerName: "default-scheduler" },
  ]);
});

const stageNames = async (pods: "simulated-kubelet" | "instant") =>
  parseAllDocuments(await kwokConfiguration(pods))
    .filter((document) => document.get("kind") === "Stage")
    .map((document) => document.getIn(["metadata", "name"]));

test("beside a simulated kubelet KWOK starts pods and never ends them", async () => {
  expect(await stageNames("simulated-kubelet")).toEqual(["node-ready", "node-heartbeat", "pod-start"]);
});

test("instant pods are KWOK's from start to end", async () => {
  expect(await stageNames("instant")).toEqual(["node-ready", "node-heartbeat", "pod-ready", "pod-end"]);
});
