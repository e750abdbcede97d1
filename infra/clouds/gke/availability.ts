// Whether the project has what the stack needs, judged before anything is made. What is not there is a problem; what
// cannot be read is a warning: who may make node pools need not be who may read quotas.
import { counted } from "@llama-operator/llama/planning";
import type { GkeCluster } from "./config/cluster.ts";
import { findGkeShape, quotaFamilyOf } from "./config/machines.ts";
import type { GkePool } from "./config/pool.ts";
import { checked, nothingFound, together } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";
import { checkNetworks, checkRegion, checkSold, checkZones } from "./place-check.ts";
import type { GkeReadings, ReservationReading } from "./readings.ts";
import { checkVersion } from "./version-check.ts";

type Place = Pick<GkeCluster, "project" | "region">;

export async function checkGkeAccount(
  cluster: GkeCluster,
  pools: readonly GkePool[],
  readings: GkeReadings,
): Promise<AccountCheck> {
  const region = await checkRegion(cluster, readings);
  if (region.problems.length > 0) return region;
  const zones = await checkZones(cluster, pools, readings);
  const found = await Promise.all([
    checkClusterVersion(cluster, readings),
    ...familiesOf(pools).map(async (family) => checkQuota(cluster, family, readings)),
    ...(zones.problems.length > 0
      ? []
      : pools.map(async (pool, index) => checkSold(cluster, pool, index, readings))),
    ...pools.map(async (pool, index) => checkReservation(cluster, pool, index, readings)),
    ...pools.map(async (pool, index) => together(await checkNetworks(cluster, pool, index, readings))),
  ]);
  return together([region, zones, ...found]);
}

async function checkClusterVersion(cluster: GkeCluster, readings: GkeReadings): Promise<AccountCheck> {
  const { project, region, name, releaseChannel } = cluster;
  return checked({ what: `what GKE sells in ${region}` }, async () => {
    const [sold, existing] = await Promise.all([
      readings.versions(project, region, releaseChannel),
      readings.clusterVersion(project, region, name),
    ]);
    return checkVersion(cluster, sold, existing);
  });
}

interface Family {
  readonly name: string;
  /** GPUs that the pools have at most. */
  readonly gpus: number;
  readonly pools: readonly string[];
}

/** Reserved nodes were counted when they were reserved; spot, flex-start and queued nodes count elsewhere. */
function familiesOf(pools: readonly GkePool[]): readonly Family[] {
  const families = new Map<string, Family>();
  for (const { name, machineShape, nodes, capacity } of pools) {
    const shape = findGkeShape(machineShape);
    const family = quotaFamilyOf(shape?.gpu ?? "");
    if (shape === undefined || family === undefined || capacity.kind !== "onDemand") continue;
    const before = families.get(family);
    families.set(family, {
      name: family,
      gpus: (before?.gpus ?? 0) + nodes.max * shape.gpusPerNode,
      pools: [...(before?.pools ?? []), name],
    });
  }
  return [...families.values()];
}

async function checkQuota(
  { project, region }: Place,
  { name, gpus, pools }: Family,
  readings: GkeReadings,
): Promise<AccountCheck> {
  const what = `the quota of ${name} GPUs of ${project} in ${region}`;
  return checked({ what }, async () => {
    const quota = await readings.gpuQuota(project, region, name);
    if (quota === undefined) return { problems: [], warnings: [`${what} is not said, and was not checked`] };
    if (quota >= gpus) return nothingFound;
    const problem = `${what} is ${quota}, and ${pools.join(", ")} may have ${gpus}: ask for ${gpus} ("GPUs per GPU family" in IAM & Admin, Quotas), or write smaller nodes.max`;
    return { problems: [problem], warnings: [] };
  });
}

async function checkReservation(
  place: Place,
  pool: GkePool,
  index: number,
  readings: GkeReadings,
): Promise<AccountCheck> {
  const { capacity, zones } = pool;
  if (capacity.kind !== "reserved") return nothingFound;
  const { reservation, project = place.project } = capacity;
  const [zone = ""] = zones;
  const what = `the reservation ${reservation} of ${project} in ${zone}`;
  const missing = `pools[${index}].capacity.reservation: write the name of one that ${project} has in ${zone}`;
  return checked({ what, missing }, async () => {
    const read = await readings.reservation(project, zone, reservation);
    return {
      problems: reservationProblems(pool, read, what).map((problem) => `pools[${index}].${problem}`),
      warnings: read.status === "READY" ? [] : [`${what} is ${read.status}, not READY`],
    };
  });
}

function reservationProblems(
  { machineShape, nodes }: GkePool,
  { machineType, count, specific }: ReservationReading,
  what: string,
): readonly string[] {
  const problems: string[] = [];
  if (machineType !== machineShape) {
    problems.push(`machineShape: ${what} is for ${machineType}: write that, or another reservation`);
  }
  if (count < nodes.max) {
    problems.push(
      `nodes.max: ${what} has ${counted(count, "machine")}, and the pool may have ${nodes.max}: write ${count}, or reserve more`,
    );
  }
  if (!specific) {
    problems.push(
      `capacity.reservation: ${what} is for everybody in the project, so that others may take its machines: make it one for specific use`,
    );
  }
  return problems;
}
