import { expect, test } from "vitest";
import { clusterFacts, clusterLayout, clusterUsers, nodeAddress, preferredPorts } from "./layout.ts";

const layout = clusterLayout("demo", "/state/demo", "127.3", preferredPorts);

test("the control plane answers at the end of the cluster's own block", () => {
  expect(layout.server).toBe("https://127.3.255.254:26443");
  expect(layout.podCidr).toBe("127.3.0.0/16");
});

test("every user has a kubeconfig of its own, inside the state folder", () => {
  const paths = clusterUsers.map((user) => layout.kubeconfigs[user]);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths.every((path) => path.startsWith("/state/demo/"))).toBe(true);
  expect(layout.kubeconfigs.admin).toBe("/state/demo/kubeconfig");
});

test("nodes have addresses of their own, above the pods and below the control plane", () => {
  const count = 7750;
  const addresses = Array.from({ length: count }, (_, index) => nodeAddress("127.3", index));
  expect(new Set(addresses).size).toBe(count);
  expect(addresses[0]).toBe("127.3.224.1");
  expect(addresses.at(-1)).toBe("127.3.254.250");
});

test("callers are told of an audit log only where there is one", () => {
  expect(clusterFacts(layout, false)).not.toHaveProperty("auditLogPath");
  expect(clusterFacts(layout, true).auditLogPath).toBe("/state/demo/audit.log");
});
