import { expect, test } from "vitest";
import { gpuPoolSpec } from "@llama-operator/llama/api";
import { DeviceUse } from "./capacity.ts";
import type { Node } from "../observed/node.ts";
import type { Pod } from "../observed/pod.ts";
import { PoolRooms } from "./pool-rooms.ts";

const pool = gpuPoolSpec.parse({
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  nodeSelector: { pool: "h100" },
});

function node(name: string): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name, resourceVersion: "1", labels: { pool: "h100" } },
    usable: true,
    devices: { "nvidia.com/gpu": 8 },
  };
}

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u", resourceVersion: "1" },
  nodeName: "a",
  devices: { "nvidia.com/gpu": 6 },
  phase: "Running",
  ready: false,
  engine: {},
};

test("free GPUs follow pods and nodes as they change, and are counted once while they do not", () => {
  const nodes = [node("a")];
  const use = new DeviceUse();
  const rooms = new PoolRooms({ list: () => nodes }, use);
  const free = (): readonly number[] => rooms.of(pool).map((room) => room.free);

  expect(free()).toEqual([8]);
  expect(rooms.of(pool)).toBe(rooms.of(pool));
  use.observe(pod);
  expect(free()).toEqual([2]);
  use.observe({ ...pod, ready: true });
  expect(rooms.of(pool)).toBe(rooms.of(pool));
  nodes.push(node("b"));
  rooms.nodesChanged();
  expect(free()).toEqual([2, 8]);
  use.forget(pod);
  expect(free()).toEqual([8, 8]);
});
