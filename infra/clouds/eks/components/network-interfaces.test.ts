import { expect, test } from "vitest";
import { networkInterfaces } from "./network-interfaces.ts";

test("a p5.48xlarge has its address on card 0, an EFA beside it, and an EFA on each further card", () => {
  const interfaces = networkInterfaces(32);
  expect(interfaces).toHaveLength(33);
  expect(interfaces.slice(0, 3)).toEqual([
    { networkCardIndex: 0, deviceIndex: 0, interfaceType: "interface" },
    { networkCardIndex: 0, deviceIndex: 1, interfaceType: "efa-only" },
    { networkCardIndex: 1, deviceIndex: 0, interfaceType: "efa-only" },
  ]);
  expect(interfaces.at(-1)).toEqual({ networkCardIndex: 31, deviceIndex: 0, interfaceType: "efa-only" });
});

test("a node without EFA has the one interface that it needs", () => {
  expect(networkInterfaces(0)).toEqual([{ networkCardIndex: 0, deviceIndex: 0, interfaceType: "interface" }]);
});
