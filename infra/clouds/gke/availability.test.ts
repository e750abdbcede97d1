import { expect, test } from "vitest";
import { gkePool } from "./config/pool.ts";
import type { GkePool } from "./config/pool.ts";
import { checkGkeAccount } from "./availability.ts";
import type { GkeReadings, ReservationReading } from "./readings.ts";

const place = { project: "my-project", region: "us-central1" };

const pool = (changes: object = {}): GkePool =>
  gkePool.parse({
    name: "h100",
    machineShape: "a3-highgpu-8g",
    zones: ["us-central1-a"],
    nodes: { min: 2, max: 2 },
    ...changes,
  });

const reserved = { capacity: { kind: "reserved", reservation: "r" } };

function readings(quota: number | undefined, held: Partial<ReservationReading> = {}): GkeReadings {
  return {
    gpuQuota: async () => quota,
    reservation: async () => ({
      machineType: "a3-highgpu-8g",
      count: 2,
      specific: true,
      status: "READY",
      ...held,
    }),
  };
}

test("what the project has is enough", async () => {
  expect(await checkGkeAccount(place, [pool(), pool(reserved)], readings(16))).toEqual({
    problems: [],
    warnings: [],
  });
});

test("the pools of a family count together against its quota, and reserved ones not at all", async () => {
  const pools = [pool(), pool({ name: "more", nodes: { min: 0, max: 3 } }), pool(reserved)];
  expect(await checkGkeAccount(place, pools, readings(39))).toEqual({
    problems: [
      'the quota of NVIDIA_H100 GPUs of my-project in us-central1 is 39, and h100, more may have 40: ask for 40 ("GPUs per GPU family" in IAM & Admin, Quotas), or write smaller nodes.max',
    ],
    warnings: [],
  });
});

test("a reservation has to be of the machine, of the size, and for who names it", async () => {
  const held = { machineType: "a3-megagpu-8g", count: 1, specific: false, status: "CREATING" };
  expect(await checkGkeAccount(place, [pool(reserved)], readings(16, held))).toEqual({
    problems: [
      "pools[0].machineShape: the reservation r of my-project in us-central1-a is for a3-megagpu-8g: write that, or another reservation",
      "pools[0].nodes.max: the reservation r of my-project in us-central1-a has 1 machine, and the pool may have 2: write 1, or reserve more",
      "pools[0].capacity.reservation: the reservation r of my-project in us-central1-a is for everybody in the project, so that others may take its machines: make it one for specific use",
    ],
    warnings: ["the reservation r of my-project in us-central1-a is CREATING, not READY"],
  });
});

test("what cannot be read is a warning, and so is a quota that is not said", async () => {
  const refuse = async () => Promise.reject(new Error("permission denied"));
  const unreadable = { gpuQuota: refuse, reservation: refuse };
  expect(await checkGkeAccount(place, [pool(), pool(reserved)], unreadable)).toEqual({
    problems: [],
    warnings: [
      "the quota of NVIDIA_H100 GPUs of my-project in us-central1 could not be read, and was not checked: permission denied",
      "the reservation r of my-project in us-central1-a could not be read, and was not checked: permission denied",
    ],
  });
  expect((await checkGkeAccount(place, [pool()], readings(undefined))).warnings).toHaveLength(1);
});
