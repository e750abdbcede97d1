// Who keeps whom from a pool's nodes.
import { expect, test } from "vitest";
import { types } from "../testing/cluster/objects.ts";
import { twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate } from "../testing/simulation.ts";

test("OUTAGE OF ANOTHER: pods that wait in another pool keep no group from this one's nodes", async () => {
  const sim = simulate({ nodes: 3 });
  const { server } = sim.cluster;
  const team = { matchLabels: { team: "team" } };
  server.create(types.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", labels: team.matchLabels } });
  sim.llama("chat", wholeNode);
  await sim.settle();
  // Its pool becomes another team's; what runs stays, and further replicas go to a pool that has no nodes yet.
  sim.patch("GpuPool", "h100", { spec: { namespaceSelector: team } });
  sim.apply(gpuPool("other", { nodeSelector: { pool: "other" } }));
  sim.scale("chat", 2);
  await sim.pass(120);
  expect(sim.pods("chat").map(({ spec }) => spec.nodeName)).toContain(undefined);
  sim.llama("big", twoNodes, "team");
  await sim.pass(600);
  // Two of three nodes are free. With `sim.scale("chat", 2)` left out this holds.
  sim.expectCondition("big", { type: "Ready", status: "True" }, "team");
});

test("LOCK: a group whose pods never end on a lost node keeps no other from nodes that it cannot take", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.loseNode(sim.pods("big")[0]?.spec.nodeName ?? "");
  await sim.pass(1800);
  sim.expectCondition("big", { type: "Ready", status: "False", reason: "NodeLost" });
  sim.llama("two", twoNodes);
  await sim.pass(1800);
  sim.expectCondition("two", { type: "Ready", status: "True" });
});

test("STATUS: a pod that was evicted from a lost node, on a full pool: status names the node", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.loseNode("node-1");
  await sim.pass(200);
  const told = (): string => JSON.stringify(sim.status("chat").conditions);
  expect(told()).toContain("node-1");
  await sim.pass(900);
  expect(told()).toContain("node-1");
});
