import { expect, test } from "vitest";
import { gkeCluster } from "./config/cluster.ts";
import { gkePool } from "./config/pool.ts";
import type { GkePool } from "./config/pool.ts";
import { checkGkeAccount } from "./availability.ts";
import type { GkeReadings, ReservationReading } from "./readings.ts";

const place = gkeCluster.parse({
  kind: "gke",
  project: "my-project",
  region: "us-central1",
  name: "llama",
  version: "1.35",
  authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
});

const pool = (changes: object = {}): GkePool =>
  gkePool.parse({
    name: "h100",
    machineShape: "a3-highgpu-8g",
    zones: ["us-central1-a"],
    nodes: { min: 2, max: 2 },
    ...changes,
  });

const reserved = { capacity: { kind: "reserved", reservation: "r" } };

const zones = ["us-central1-a", "us-central1-b"];

/** A project that has everything. */
const everything: Omit<GkeReadings, "gpuQuota" | "reservation"> = {
  regions: async () => ["us-central1", "us-east1"],
  zones: async () => zones,
  sells: async () => true,
  versions: async () => ({
    valid: ["1.36.1-gke.1", "1.35.8-gke.1"],
    channelDefault: "1.35.8-gke.1",
    channelLatest: "1.36.1-gke.1",
  }),
  clusterVersion: async () => undefined,
  network: async () => undefined,
  subnetwork: async () => undefined,
};

function readings(
  quota: number | undefined,
  held: Partial<ReservationReading> = {},
  changes: Partial<GkeReadings> = {},
): GkeReadings {
  return {
    ...everything,
    gpuQuota: async () => quota,
    reservation: async () => ({
      machineType: "a3-highgpu-8g",
      count: 2,
      specific: true,
      status: "READY",
      ...held,
    }),
    ...changes,
  };
}

const failing = (message: string) => async () => Promise.reject(new Error(message));
const problemsWith = async (pools: readonly GkePool[], changes: Partial<GkeReadings>, cluster = place) =>
  (await checkGkeAccount(cluster, pools, readings(16, {}, changes))).problems;

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
  const refuse = failing("permission denied");
  const unreadable = { ...everything, gpuQuota: refuse, reservation: refuse };
  expect(await checkGkeAccount(place, [pool(), pool(reserved)], unreadable)).toEqual({
    problems: [],
    warnings: [
      "the quota of NVIDIA_H100 GPUs of my-project in us-central1 could not be read, and was not checked: permission denied",
      "the reservation r of my-project in us-central1-a could not be read, and was not checked: permission denied",
    ],
  });
  expect((await checkGkeAccount(place, [pool()], readings(undefined))).warnings).toHaveLength(1);
});

test("a reservation that is not there ends the run, with where it was looked for", async () => {
  const reservation = failing("googleapi: Error 404: The resource 'r' was not found, notFound");
  expect(await problemsWith([pool(reserved)], { reservation })).toEqual([
    "pools[0].capacity.reservation: write the name of one that my-project has in us-central1-a (the reservation r of my-project in us-central1-a is not there: googleapi: Error 404: The resource 'r' was not found, notFound)",
  ]);
});

test("a region that there is not is told with its neighbours, and nothing more is asked", async () => {
  const sells = failing("must not be asked");
  expect(await problemsWith([pool()], { sells }, { ...place, region: "us-centrall" })).toEqual([
    "cluster.region: Google Cloud has no region us-centrall for my-project: nearest are us-central1, us-east1",
  ]);
});

test("a zone that the region lacks, or that does not sell the machine, is told with those that do", async () => {
  const elsewhere = pool({ zones: ["us-central1-x"] });
  expect(await problemsWith([elsewhere], {})).toEqual([
    "pools[0].zones: us-central1 has no zone us-central1-x: write one of us-central1-a, us-central1-b",
  ]);
  const sells: GkeReadings["sells"] = async (_, zone) => zone === "us-central1-b";
  expect(await problemsWith([pool()], { sells })).toEqual([
    "pools[0].zones: Google Cloud sells a3-highgpu-8g in us-central1-b, not in us-central1-a: write such a zone",
  ]);
});

test("networks of one's own have to be there", async () => {
  const networks = Array.from({ length: 4 }, (_, index) => ({
    network: `n${index}`,
    subnetwork: `s${index}`,
  }));
  const subnetwork: GkeReadings["subnetwork"] = async (_, __, name) =>
    name === "s2" ? Promise.reject(new Error("s2 not found")) : undefined;
  expect(await problemsWith([pool({ fabric: { kind: "multiNetwork", networks } })], { subnetwork })).toEqual([
    "pools[0].fabric.networks[2].subnetwork: write one that is there (the subnetwork s2 of my-project in us-central1 is not there: s2 not found)",
  ]);
});

test("a version that GKE sells no more is told, unless the cluster is there already", async () => {
  const old = { ...place, version: "1.35.1-gke.1" };
  expect(await problemsWith([pool()], {}, old)).toEqual([
    'cluster.version: GKE sells no 1.35.1-gke.1 in us-central1 in the channel REGULAR (it has 1.35.8-gke.1 by default, at most 1.36.1-gke.1): write one of "1.35", "1.36"',
  ]);
  expect(await problemsWith([pool()], { clusterVersion: async () => "1.35.8-gke.1" }, old)).toEqual([]);
});
