// Whether what a stack names is there: region, zones, the machines that zones sell, networks of the person's own.
import { nearestNames } from "@llama-operator/llama/catalog";
import type { GkeCluster } from "./config/cluster.ts";
import type { GkePool } from "./config/pool.ts";
import { problemsOf } from "../account-check.ts";
import type { AccountCheck, Subject } from "../account-check.ts";
import type { GkeReadings } from "./readings.ts";

type Place = Pick<GkeCluster, "project" | "region">;

/** Whether the project has the region. Without it nothing else is worth asking. */
export async function checkRegion(
  { project, region }: Place,
  readings: Pick<GkeReadings, "regions">,
): Promise<AccountCheck> {
  const subject = {
    what: `the project ${project}`,
    missing: "cluster.project: write the id of a project that is there",
  };
  return problemsOf(subject, async () => {
    const regions = await readings.regions(project);
    if (regions.includes(region)) return [];
    const near = nearestNames(region, regions).join(", ");
    return [`cluster.region: Google Cloud has no region ${region} for ${project}: nearest are ${near}`];
  });
}

/** Whether the region has the zones that pools and system nodes name. */
export async function checkZones(
  { project, region, systemPool }: Pick<GkeCluster, "project" | "region" | "systemPool">,
  pools: readonly GkePool[],
  readings: Pick<GkeReadings, "zones">,
): Promise<AccountCheck> {
  const named = [
    ...(systemPool.zones ?? []).map((zone) => ["cluster.systemPool.zones", zone] as const),
    ...pools.flatMap(({ zones }, index) => zones.map((zone) => [`pools[${index}].zones`, zone] as const)),
  ];
  return problemsOf(
    { what: `the zones of ${region}`, missing: "cluster.region: write another" },
    async () => {
      const known = await readings.zones(project, region);
      return named.flatMap(([path, zone]) =>
        known.includes(zone)
          ? []
          : [`${path}: ${region} has no zone ${zone}: write one of ${known.join(", ")}`],
      );
    },
  );
}

/** Whether a pool's machine is sold in its zones; the zones of the region that sell it are named. */
export async function checkSold(
  { project, region }: Place,
  { machineShape, zones }: GkePool,
  index: number,
  readings: Pick<GkeReadings, "sells" | "zones">,
): Promise<AccountCheck> {
  const what = `whether ${machineShape} is sold in ${zones.join(", ")}`;
  return problemsOf({ what }, async () => {
    const here = await selling(project, zones, machineShape, readings);
    const without = zones.filter((zone) => !here.includes(zone));
    if (without.length === 0) return [];
    const others = await selling(project, await readings.zones(project, region), machineShape, readings);
    const known = others.length === 0 ? "nowhere in the region" : `in ${others.join(", ")}`;
    return [
      `pools[${index}].zones: Google Cloud sells ${machineShape} ${known}, not in ${without.join(", ")}: write such a zone`,
    ];
  });
}

async function selling(
  project: string,
  zones: readonly string[],
  machine: string,
  readings: Pick<GkeReadings, "sells">,
): Promise<readonly string[]> {
  const sold = await Promise.all(zones.map(async (zone) => readings.sells(project, zone, machine)));
  return zones.filter((_, index) => sold[index] === true);
}

/** Whether the networks of their own that a pool's nodes shall have interfaces in are there. */
export async function checkNetworks(
  { project, region }: Place,
  { fabric }: GkePool,
  index: number,
  readings: Pick<GkeReadings, "network" | "subnetwork">,
): Promise<readonly AccountCheck[]> {
  if (fabric?.kind !== "multiNetwork" || fabric.networks === undefined) return [];
  const found = fabric.networks.flatMap(({ network, subnetwork }, place) => {
    const path = `pools[${index}].fabric.networks[${place}]`;
    const ofNetwork = named(`${path}.network`, `the network ${network} of ${project}`);
    const ofSubnetwork = named(
      `${path}.subnetwork`,
      `the subnetwork ${subnetwork} of ${project} in ${region}`,
    );
    return [
      problemsOf(ofNetwork, async () => nothing(readings.network(project, network))),
      problemsOf(ofSubnetwork, async () => nothing(readings.subnetwork(project, region, subnetwork))),
    ];
  });
  return Promise.all(found);
}

const named = (path: string, what: string): Subject => ({
  what,
  missing: `${path}: write one that is there`,
});

async function nothing(read: Promise<void>): Promise<readonly string[]> {
  await read;
  return [];
}
