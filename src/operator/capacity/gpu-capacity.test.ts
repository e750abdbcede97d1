// What one holder may make, in one situation each; stories of whole fleets are in safety.test.ts and fairness.test.ts.
import { beforeEach, describe, expect, test } from "vitest";
import { Fleet } from "./testing/fleet.ts";
import * as objects from "./testing/objects.ts";
import { requestOf, type Model } from "./testing/objects.ts";
import { groupModel, singleModel } from "./testing/story.ts";

let fleet: Fleet;

beforeEach(() => {
  fleet = new Fleet({ a: { nodes: 4 } });
});

function free(model: Model, sinceMs = 0) {
  return fleet.capacity.free(requestOf(model, sinceMs, 1));
}

function freeOfNodes(): readonly number[] {
  return fleet.capacity.nodes("a").map((node) => node.free);
}

const nodeNames = (): readonly string[] => [...fleet.kinds.nodes.live.keys()];

describe("nodes", () => {
  test("free GPUs follow pods and nodes, and are the same list while they do not change", () => {
    expect(freeOfNodes()).toEqual([8, 8, 8, 8]);
    expect(fleet.capacity.nodes("a")).toBe(fleet.capacity.nodes("a"));
    const [first = ""] = nodeNames();
    fleet.kinds.pods.write(objects.foreignPod("f", first, 6));
    fleet.kinds.nodes.remove(nodeNames()[1] ?? "");
    fleet.deliver();
    expect(freeOfNodes().toSorted((a, b) => a - b)).toEqual([2, 8, 8]);
    fleet.kinds.pods.remove("foreign/f");
    fleet.deliver();
    expect(freeOfNodes()).toEqual([8, 8, 8]);
  });

  test("nodes that are not usable, lack GPUs or belong to another pool do not count, nor does an unknown pool", () => {
    for (const over of [{ usable: false }, { devices: {} }]) {
      fleet.kinds.nodes.write(objects.node(fleet.newName("bad-"), "a", over));
    }
    fleet.kinds.nodes.write(objects.node("other", "b"));
    fleet.deliver();
    expect(freeOfNodes()).toEqual([8, 8, 8, 8]);
    expect(fleet.capacity.nodes("nowhere")).toEqual([]);
    expect(free(groupModel(fleet, 2, { pool: "nowhere" }))).toMatchObject({ replicas: 0 });
  });

  test("nodes that an autoscaler may add are free, and a node that its pods show first is not", () => {
    fleet = new Fleet({ a: { nodes: 2, growth: 2 } });
    const group = groupModel(fleet, 2);
    fleet.apply(group);
    expect(free(group).replicas).toBe(2);
    const model = singleModel(fleet, 8, 1);
    fleet.show(model, ["a-late"]);
    expect(free(group).replicas).toBe(1);
    fleet.kinds.nodes.write(objects.node("a-late", "a"));
    fleet.deliver();
    expect(free(group).replicas).toBe(1);
    expect(freeOfNodes()).toEqual([8, 8, 0]);
  });

  const requests = { cpuMillicores: 100_000, memoryBytes: 2 ** 40, ephemeralStorageBytes: 0 };
  const allocatable = { cpuMillicores: 200_000, memoryBytes: 2 ** 41, ephemeralStorageBytes: 2 ** 40 };

  test("GPUs count as far as CPU and memory are free beside them", () => {
    fleet = new Fleet({ a: { nodes: 0 } });
    for (const name of ["x", "y"]) fleet.kinds.nodes.write(objects.node(name, "a", { allocatable }));
    fleet.deliver();
    const model = (gpusPerNode: number): Model => ({
      ...singleModel(fleet, gpusPerNode, 1),
      footprint: { nodesPerReplica: 1, gpusPerNode, requests },
    });
    expect(free(model(2)).replicas).toBe(4);
    expect(free(model(8)).replicas).toBe(2);
    expect(free(singleModel(fleet, 2, 1)).replicas).toBe(8);
    const other = { ...objects.foreignPod("f", "x", 0), devices: {} };
    fleet.kinds.pods.write({ ...other, requests: { ...requests, cpuMillicores: 101_000 } });
    fleet.deliver();
    expect(free(model(2)).replicas).toBe(2);
    expect(free(model(8)).replicas).toBe(1);
    fleet.kinds.pods.write({ ...other, requests });
    fleet.deliver();
    expect(free(model(2)).replicas).toBe(3);
    fleet.kinds.pods.remove("foreign/f");
    fleet.deliver();
    expect(free(model(2)).replicas).toBe(4);
  });

  test("what keeps a replica from free GPUs is named, and GPUs that are missing are not", () => {
    fleet = new Fleet({ a: { nodes: 0 } });
    const taint = { key: "dedicated", value: "training", effect: "NoSchedule" };
    fleet.kinds.nodes.write(objects.node("x", "a", { allocatable, taints: [taint] }));
    fleet.kinds.nodes.write(objects.node("y", "a", { allocatable }));
    fleet.kinds.pods.write({ ...objects.foreignPod("f", "y", 0), devices: {}, requests: allocatable });
    fleet.deliver();
    const footprint = { nodesPerReplica: 2, gpusPerNode: 8, requests };
    const obstacle = { taints: ["dedicated=training:NoSchedule"], scarce: ["cpuMillicores", "memoryBytes"] };
    expect(free({ ...groupModel(fleet, 2), footprint })).toMatchObject({ replicas: 0, obstacle });
    const larger = { ...footprint, nodesPerReplica: 3 };
    expect(free({ ...groupModel(fleet, 3), footprint: larger }).obstacle).toBeUndefined();
  });

  test("what the holder releases counts as free, on its own node", () => {
    const model = singleModel(fleet, 8, 4);
    fleet.show(model, nodeNames());
    expect(free(model).replicas).toBe(0);
    const releasing = fleet.podsOf(model.holder).slice(0, 2);
    expect(fleet.capacity.free(requestOf(model, 0, 1), { releasing }).replicas).toBe(2);
  });
});

describe("pods without a node", () => {
  test("a group leaves room for single pods that have no node, its own holder's among them", () => {
    const group = groupModel(fleet, 2);
    fleet.show(group, [undefined]);
    expect(free(group).replicas).toBe(1);
    fleet.show(singleModel(fleet, 1, 1), [undefined, undefined]);
    expect(free(group).replicas).toBe(0);
  });

  test("a pod whose volume is missing takes no GPU", () => {
    const waiting = singleModel(fleet, 8, 1);
    fleet.show(waiting);
    const unschedulable = '0/4 nodes are available: persistentvolumeclaim "weights" not found.';
    for (let at = 0; at < 3; at += 1) {
      fleet.kinds.pods.write({ ...objects.pod(waiting, fleet.newName("p")), unschedulable });
    }
    fleet.deliver();
    expect(free(groupModel(fleet, 2)).replicas).toBe(2);
  });

  test("single pods are behind a group that is made until its ranks have their nodes", () => {
    const group = groupModel(fleet, 2);
    const single = singleModel(fleet, 1, 9);
    fleet.show(group);
    fleet.show(single);
    expect(free(single)).toMatchObject({ replicas: 32, behind: undefined });
    fleet.capacity.assume("m-0", { ...group, replicas: 1 });
    expect(free(single)).toMatchObject({ replicas: 2, behind: group.holder });
    fleet.kinds.leaderWorkerSets.write(objects.group(group, 0));
    fleet.deliver();
    fleet.capacity.release(group.holder);
    expect(free(single)).toMatchObject({ replicas: 2, behind: group.holder });
    const [first, second] = nodeNames();
    const name = objects.group(group, 0).metadata.name;
    for (const nodeName of [first ?? "", second ?? ""]) {
      fleet.kinds.pods.write({ ...objects.pod(group, fleet.newName("p"), name), nodeName });
    }
    fleet.deliver();
    expect(free(single)).toMatchObject({ replicas: 16, behind: undefined });
  });

  test("a group's pods that nobody makes lock GPUs for a minute, those that are made for as long as they wait", async () => {
    const [group, other] = [groupModel(fleet, 3), groupModel(fleet, 2)];
    fleet.show(group);
    fleet.show(other);
    fleet.kinds.leaderWorkerSets.write(objects.group(group, 0));
    fleet.deliver();
    await fleet.clock.advance(59_000);
    expect(free(other).replicas).toBe(0);
    await fleet.clock.advance(1000);
    expect(free(other).replicas).toBe(2);
    expect(free(group)).toMatchObject({ replicas: 0, refused: true });
    // Its leader comes: so may the others, for a minute again.
    const name = objects.group(group, 0).metadata.name;
    fleet.kinds.pods.write(objects.pod(group, fleet.newName("p"), name));
    fleet.deliver();
    expect(free(other).replicas).toBe(0);
    await fleet.clock.advance(60_000);
    expect(free(other).replicas).toBe(1);
    fleet.runControllers();
    fleet.deliver();
    expect(free(other).replicas).toBe(0);
    expect(free(group)).toMatchObject({ refused: false });
  });

  test("a group whose pods are on their way out keeps its GPUs until they are gone, however long that takes", async () => {
    const [group, other] = [groupModel(fleet, 2), groupModel(fleet, 4)];
    fleet.show(group);
    fleet.kinds.leaderWorkerSets.write(objects.group(group, 0));
    const leaving = objects.pod(group, "p", objects.group(group, 0).metadata.name);
    const metadata = { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    fleet.kinds.pods.write({ ...leaving, metadata });
    fleet.deliver();
    await fleet.clock.advance(600_000);
    expect(free(other).replicas).toBe(0);
    fleet.kinds.pods.remove("t/p");
    fleet.deliver();
    expect(free(other).replicas).toBe(0);
    await fleet.clock.advance(60_000);
    expect(free(other).replicas).toBe(1);
  });

  test("single pods that nobody makes keep no group waiting for more than a minute", async () => {
    const [single, group] = [singleModel(fleet, 8, 4), groupModel(fleet, 2)];
    fleet.show(single);
    fleet.kinds.deployments.write(objects.deployment(single, 4));
    fleet.deliver();
    expect(free(group).replicas).toBe(0);
    await fleet.clock.advance(60_000);
    expect(free(group).replicas).toBe(2);
  });

  test("what a holder decided is taken back as a whole, and nobody else's", () => {
    const [one, two] = [groupModel(fleet, 2), groupModel(fleet, 1)];
    fleet.show(one);
    fleet.show(two);
    fleet.capacity.assume("x", { ...one, replicas: 1 });
    fleet.capacity.assume("y", { ...two, replicas: 1 });
    fleet.capacity.release(one.holder);
    expect(free(groupModel(fleet, 3)).replicas).toBe(1);
  });

  test("nothing is assumed for an object that is gone", () => {
    fleet.capacity.assume("x", { ...groupModel(fleet, 4), replicas: 1 });
    expect(free(groupModel(fleet, 4)).replicas).toBe(1);
  });
});

describe("the queue", () => {
  test("the PriorityClass decides, and the cluster's default one for those that name none", () => {
    const [waiting, asking] = [groupModel(fleet, 4), groupModel(fleet, 4, { priorityClassName: "high" })];
    fleet.show(waiting);
    fleet.capacity.enqueue(requestOf(waiting, 0, 1));
    expect(free(asking, 1)).toMatchObject({ replicas: 1, behind: undefined });
    fleet.kinds.priorityClasses.write(objects.priorityClass("normal", 1000, true));
    fleet.deliver();
    expect(free(asking, 1)).toMatchObject({ replicas: 0, behind: waiting.holder, outranked: true });
  });

  test("a group waits behind single pods that came first, and they do not wait behind it", () => {
    const [single, group] = [singleModel(fleet, 8, 3), groupModel(fleet, 2)];
    fleet.show(single, [undefined]);
    fleet.show(group);
    fleet.capacity.enqueue(requestOf(single, 1, 3));
    fleet.capacity.enqueue(requestOf(group, 2, 1));
    expect(free(group, 2)).toMatchObject({ replicas: 0, behind: single.holder });
    expect(free(single, 1).behind).toBeUndefined();
  });

  test("a request that its pool could never hold stands in nobody's way", () => {
    const [never, asking] = [groupModel(fleet, 5), singleModel(fleet, 1, 1)];
    fleet.show(never);
    fleet.capacity.enqueue(requestOf(never, 0, 1));
    expect(free(asking, 1)).toMatchObject({ replicas: 32, behind: undefined });
    fleet.addNode("a");
    fleet.deliver();
    expect(free(asking, 1)).toMatchObject({ replicas: 0, behind: never.holder });
  });

  test("a status that another leader wrote counts until a pass of this one asks", () => {
    const [waiting, asking] = [groupModel(fleet, 4), groupModel(fleet, 4)];
    const since = new Date(1000).toISOString();
    fleet.show({ ...waiting, waitingForGpus: { since, replicas: 1 } });
    expect(free(asking, 2000).behind).toBe(waiting.holder);
    fleet.show(waiting);
    expect(free(asking, 2000).behind).toBeUndefined();
    free(waiting, 3000);
    fleet.show({ ...waiting, waitingForGpus: { since, replicas: 1 } });
    expect(free(asking, 2000).behind).toBeUndefined();
  });
});
