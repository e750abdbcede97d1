// What an account on AWS has of what the stack needs, judged before the first resource: region, zones, versions, machines
// sold in the zone, quotas, reservations. What is not there is a problem; what cannot be read is a warning, because a
// login that may build need not be one that may look.
import { counted } from "@llama-operator/llama/planning";
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { EksCluster } from "./config/cluster.ts";
import type { EksPool } from "./config/pool.ts";
import { nothingFound, problemsOf, together } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";
import { checkAdministrators, checkImage, checkRegion, checkVersions, checkZones } from "./place-check.ts";

/** A capacity reservation or a capacity block as EC2 knows it. */
export interface ReservationFacts {
  readonly machineType: string;
  readonly zone: string;
  readonly count: number;
  /** Of a block: `scheduled`, `active`, `expired` and others. */
  readonly state?: string;
  /** Placement group that it was made in. */
  readonly placementGroup?: string;
  /** Of a block, RFC 3339. */
  readonly start?: string;
  readonly end?: string;
}

/** A zone of the region. */
export interface ZoneFacts {
  readonly name: string;
  /** Alike in all accounts: `use1-az3`. */
  readonly id: string;
}

/** A cluster that is there. */
export interface ClusterFacts {
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** How an account is read; each rejects where it cannot be. */
export interface EksReadings {
  /** Rejects where AWS has no such region. */
  region(name: string): Promise<void>;
  zones(): Promise<readonly ZoneFacts[]>;
  /** Versions of Kubernetes that EKS supports. */
  versions(): Promise<readonly string[]>;
  /** Undefined where there is no such cluster. */
  cluster(name: string): Promise<ClusterFacts | undefined>;
  /** ARN of who asks: a user of IAM, or a session of a role. */
  caller(): Promise<string>;
  /** Rejects where the account has no such role or user. */
  principal(kind: "role" | "user", name: string): Promise<void>;
  /** Ids of Amazon's images of a name, in which * stands for anything. */
  images(name: string): Promise<readonly string[]>;
  /** Zones of the region that sell a machine. */
  zonesOf(machineType: string): Promise<readonly string[]>;
  /** Value of a quota of EC2 by its name. */
  quota(name: string): Promise<number>;
  reservation(id: string): Promise<ReservationFacts>;
  block(id: string): Promise<ReservationFacts>;
}

/** Reads what the pools need, all of it, and judges. */
export async function checkEksAccount(
  cluster: EksCluster,
  pools: readonly EksPool[],
  readings: EksReadings,
  existing?: ClusterFacts,
): Promise<AccountCheck> {
  const region = await checkRegion(cluster, readings);
  if (region.problems.length > 0) return region;
  const found = await Promise.all([
    checkZones(cluster, readings),
    checkAdministrators(cluster, readings),
    checkVersions(cluster, pools, existing?.version, readings),
    ...pools.map(async (pool, index) =>
      problemsOf({ what: `whether ${pool.machineShape} is sold in ${pool.zones.join(", ")}` }, async () =>
        soldProblems(pool, index, await readings.zonesOf(pool.machineShape)),
      ),
    ),
    ...pools.map(async (pool, index) => checkReservation(pool, index, readings)),
    ...pools.map(async (pool, index) => checkImage(pool, index, readings)),
    ...[...quotasOf(pools)].map(async ([name, need]) =>
      problemsOf({ what: `the quota "${name}"` }, async () =>
        quotaProblems(name, need, await readings.quota(name)),
      ),
    ),
  ]);
  return together([region, ...found]);
}

function soldProblems(
  { machineShape, zones }: EksPool,
  index: number,
  sold: readonly string[],
): readonly string[] {
  const without = zones.filter((zone) => !sold.includes(zone));
  if (without.length === 0) return [];
  const known = sold.length === 0 ? "nowhere in the region" : `in ${[...sold].sort().join(", ")}`;
  return [
    `pools[${index}].zones: AWS sells ${machineShape} ${known}, not in ${without.join(", ")}: write such a zone`,
  ];
}

async function checkReservation(pool: EksPool, index: number, readings: EksReadings): Promise<AccountCheck> {
  const { capacity } = pool;
  const path = `pools[${index}].capacity`;
  switch (capacity.kind) {
    case "onDemand":
    case "spot":
      return nothingFound;
    case "reserved": {
      const { reservation } = capacity;
      if (reservation.startsWith("arn:")) {
        const warning = `${path}.reservation: what a resource group holds is not looked into: see that it is of ${needed(pool)}`;
        return { problems: [], warnings: [warning] };
      }
      const missing = `${path}.reservation: write the id of one that this account has in ${pool.zones.join(", ")}`;
      return problemsOf({ what: `the reservation ${reservation}`, missing }, async () => {
        const facts = await readings.reservation(reservation);
        return [...reservationProblems(pool, path, facts), ...placementProblems(pool, index, facts)];
      });
    }
    case "capacityBlock": {
      const what = `the capacity block ${capacity.reservation}`;
      const missing = `${path}.reservation: write the id of a block that this account has bought`;
      return problemsOf({ what, missing }, async () => {
        const facts = await readings.block(capacity.reservation);
        return [...reservationProblems(pool, path, facts), ...blockProblems(capacity, path, facts)];
      });
    }
    default:
      return capacity satisfies never;
  }
}

const needed = ({ nodes, machineShape, zones }: EksPool): string =>
  `${nodes.max} x ${machineShape} in ${zones.join(", ")}`;

function reservationProblems(pool: EksPool, path: string, facts: ReservationFacts): readonly string[] {
  const holds = `${facts.count} x ${facts.machineType} in ${facts.zone}`;
  const fits =
    facts.machineType === pool.machineShape &&
    pool.zones.includes(facts.zone) &&
    facts.count >= pool.nodes.max;
  return fits
    ? []
    : [`${path}.reservation: it holds ${holds}, and the pool needs ${needed(pool)}: make the two agree`];
}

function placementProblems(
  { placementGroup }: EksPool,
  index: number,
  { placementGroup: made }: ReservationFacts,
): readonly string[] {
  const written = typeof placementGroup === "object" ? placementGroup.name : undefined;
  if (written === made) return [];
  return [
    made === undefined
      ? `pools[${index}].placementGroup: the reservation was made in none: leave it out`
      : `pools[${index}].placementGroup: the reservation was made in ${made}: write { name: ${made} }`,
  ];
}

/** States in which a block has instances, now or later. Source: EC2's API, CapacityReservation.state. */
const usableStates: readonly string[] = ["scheduled", "active"];

function blockProblems(
  capacity: { readonly start: string; readonly end: string },
  path: string,
  facts: ReservationFacts,
): readonly string[] {
  const problems: string[] = [];
  if (facts.state !== undefined && !usableStates.includes(facts.state)) {
    problems.push(`${path}.reservation: the block is ${facts.state}: buy another, and write its id`);
  }
  for (const edge of ["start", "end"] as const) {
    const real = facts[edge];
    if (real !== undefined && Date.parse(real) !== Date.parse(capacity[edge])) {
      problems.push(`${path}.${edge}: the block's ${edge} is ${real}: write that`);
    }
  }
  return problems;
}

/**
 * The quota that a pool's instances count against, in vCPUs. Blocks have none of EC2's running instances' quotas.
 * Source: docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html and
 * AWSEC2/latest/UserGuide/using-spot-limits.html.
 */
function quotaName({ machineShape, capacity }: EksPool): string | undefined {
  if (capacity.kind === "capacityBlock") return undefined;
  const spot = capacity.kind === "spot";
  if (/^gr?\d/.test(machineShape)) {
    return spot ? "All G and VT Spot Instance Requests" : "Running On-Demand G and VT instances";
  }
  if (!spot) return "Running On-Demand P instances";
  if (machineShape.startsWith("p4")) return "All P4, P3 and P2 Spot Instance Requests";
  // Of later families the page names none.
  return machineShape.startsWith("p5") ? "All P5 Spot Instance Requests" : undefined;
}

interface QuotaNeed {
  readonly vcpus: number;
  readonly pools: readonly string[];
}

function quotasOf(pools: readonly EksPool[]): ReadonlyMap<string, QuotaNeed> {
  const needs = new Map<string, QuotaNeed>();
  for (const pool of pools) {
    const name = quotaName(pool);
    if (name === undefined) continue;
    const { vcpus, pools: others } = needs.get(name) ?? { vcpus: 0, pools: [] };
    const each = findMachineShape(pool.machineShape)?.cpuCores ?? 0;
    needs.set(name, { vcpus: vcpus + each * pool.nodes.max, pools: [...others, pool.name] });
  }
  return needs;
}

function quotaProblems(name: string, { vcpus, pools }: QuotaNeed, quota: number): readonly string[] {
  if (quota >= vcpus) return [];
  return [
    `pools: ${pools.join(", ")} need${pools.length === 1 ? "s" : ""} ${counted(vcpus, "vCPU")} of EC2's quota "${name}", which is ${quota}: ask for more under Service Quotas, or write fewer nodes`,
  ];
}
