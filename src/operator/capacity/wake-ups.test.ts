import { expect, test } from "vitest";
import { objectKey } from "@llama-operator/kube-runtime/client";
import { Fleet } from "./testing/fleet.ts";
import * as objects from "./testing/objects.ts";
import { requestOf } from "./testing/objects.ts";
import { groupModel, singleModel } from "./testing/story.ts";

test("once a burst those are woken whose answer has changed, the first in the queue first", async () => {
  const fleet = new Fleet({ a: { nodes: 4 } });
  const { capacity } = fleet;
  const woken: string[][] = [];
  capacity.onFreed((waiting) => woken.push(waiting.map((ref) => objectKey(ref))));
  const [young, old, never] = [groupModel(fleet, 3), groupModel(fleet, 3), groupModel(fleet, 5)];
  const busy = singleModel(fleet, 8, 4);
  fleet.show(busy, [...fleet.kinds.nodes.live.keys()]);
  for (const [sinceMs, model] of [old, young, never].entries()) {
    fleet.show(model);
    capacity.free(requestOf(model, sinceMs, 1));
    capacity.enqueue(requestOf(model, sinceMs, 1));
  }
  await fleet.clock.advance(200);
  expect(woken).toEqual([]);

  for (const pod of fleet.podsOf(busy.holder).slice(0, 3)) fleet.kinds.pods.remove(`t/${pod.metadata.name}`);
  fleet.deliver();
  await fleet.clock.advance(199);
  expect(woken).toEqual([]);
  await fleet.clock.advance(1);
  expect(woken).toEqual([[old.holder]]);

  capacity.dequeue(old.holder);
  await fleet.clock.advance(200);
  expect(woken).toEqual([[old.holder], [young.holder, never.holder]]);
  expect(fleet.clock.pendingTimers).toBe(0);
});

test("those that wait are woken when pods that nobody makes stop counting", async () => {
  const fleet = new Fleet({ a: { nodes: 2 } });
  const { capacity } = fleet;
  const woken: string[][] = [];
  capacity.onFreed((waiting) => woken.push(waiting.map((ref) => objectKey(ref))));
  const [refused, waiting] = [groupModel(fleet, 2), groupModel(fleet, 2)];
  fleet.show(refused);
  fleet.show(waiting);
  fleet.kinds.leaderWorkerSets.write(objects.group(refused, 0));
  fleet.deliver();
  capacity.free(requestOf(waiting, 0, 1));
  capacity.enqueue(requestOf(waiting, 0, 1));
  await fleet.clock.advance(59_000);
  expect(woken).toEqual([]);
  await fleet.clock.advance(1000);
  expect(woken).toEqual([[waiting.holder]]);
  capacity.dequeue(waiting.holder);
  await fleet.clock.advance(200);
  expect(fleet.clock.pendingTimers).toBe(0);
});
