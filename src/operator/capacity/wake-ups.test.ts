import { expect, test } from "vitest";
import { objectKey } from "@llama-operator/kube-runtime/client";
import { Fleet } from "./testing/fleet.ts";
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
