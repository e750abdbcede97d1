// Free GPUs from nodes and pods, and what fits into them.
import { expect, test } from "vitest";
import { gpuPoolSpec } from "@llama-operator/llama/api";
import { DeviceUse, poolRoom, replicasThatFit, roomsWithout } from "./capacity.ts";
import type { Node } from "../observed/node.ts";
import type { Pod } from "../observed/pod.ts";

const pool = gpuPoolSpec.parse({
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  nodeSelector: { pool: "h100" },
});

function node(name: string, over: Partial<Node> = {}): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name, resourceVersion: "1", labels: { pool: "h100" } },
    usable: true,
    devices: { "nvidia.com/gpu": 8 },
    ...over,
  };
}

function pod(nodeName: string | undefined, gpus: number, phase = "Running"): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", uid: "u", resourceVersion: "1" },
    ...(nodeName === undefined ? {} : { nodeName }),
    devices: { "nvidia.com/gpu": gpus },
    phase,
    ready: false,
    engine: {},
  };
}

test("pods take their GPUs from their node until they end or leave", () => {
  const use = new DeviceUse();
  use.observe(pod(undefined, 6));
  use.observe(pod("a", 6));
  use.observe(pod("a", 6));
  expect(poolRoom(pool, [node("a"), node("b")], use)).toEqual([
    { node: "a", total: 8, free: 2 },
    { node: "b", total: 8, free: 8 },
  ]);
  use.observe(pod("a", 6, "Succeeded"));
  expect(poolRoom(pool, [node("a")], use)).toEqual([{ node: "a", total: 8, free: 8 }]);
});

test("a pod that is deleted gives back what it was last seen to hold", () => {
  const use = new DeviceUse();
  use.observe(pod("a", 6));
  use.forget(pod("a", 6, "Failed"));
  use.forget(pod("a", 6));
  expect(use.used("a", "nvidia.com/gpu")).toBe(0);
});

test("nodes that are not usable, lack GPUs or belong to another pool have no room", () => {
  const nodes = [
    node("cordoned", { usable: false }),
    node("no-driver", { devices: {} }),
    node("other", { metadata: { name: "other", uid: "o", resourceVersion: "1", labels: { pool: "l4" } } }),
  ];
  expect(poolRoom(pool, nodes, new DeviceUse())).toEqual([]);
});

test("thirteen free GPUs on two nodes hold no group of two whole nodes, and one pod of seven on one", () => {
  const rooms = [
    { node: "a", total: 8, free: 7 },
    { node: "b", total: 8, free: 6 },
  ];
  expect(replicasThatFit(rooms, { nodesPerReplica: 2, gpusPerNode: 8 })).toBe(0);
  expect(replicasThatFit(rooms, { nodesPerReplica: 1, gpusPerNode: 7 })).toBe(1);
  expect(replicasThatFit(rooms, { nodesPerReplica: 1, gpusPerNode: 2 })).toBe(6);
});

test("nodes promised to another group are not promised twice", () => {
  const rooms = ["a", "b", "c"].map((name) => ({ node: name, total: 8, free: 8 }));
  expect(replicasThatFit(rooms, { nodesPerReplica: 2, gpusPerNode: 8 }, 2)).toBe(0);
});

test("a leaving pod gives its GPUs back to its own node", () => {
  const rooms = [{ node: "a", total: 8, free: 0 }];
  expect(roomsWithout(rooms, [pod("a", 8)], "nvidia.com/gpu")).toEqual([{ node: "a", total: 8, free: 8 }]);
});
