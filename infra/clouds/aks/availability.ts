// What a subscription on Azure has of what the stack needs, judged before the first resource: capacity reservations, the
// person's own identity, the feature that InfiniBand asks for, and the cluster that is there. What is not there is a
// problem; what cannot be read is a warning: who may build need not be one who may look.
import { infinibandFeature } from "./config/checks.ts";
import type { AksCluster } from "./config/cluster.ts";
import type { AksPool } from "./config/pool.ts";
import { nothingFound, problemsOf, together } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";
import { checkCluster } from "./cluster-check.ts";
import type { ClusterReadings } from "./cluster-check.ts";

/** A capacity reservation group as Azure knows it. */
export interface ReservationGroupFacts {
  readonly location: string;
  /** Empty where it holds a region's capacity. */
  readonly zones: readonly string[];
  readonly reservations: readonly {
    readonly machine: string;
    readonly count: number;
    readonly zones: readonly string[];
  }[];
}

/** How a subscription is read; each rejects where it cannot be. */
export interface AksReadings extends ClusterReadings {
  reservationGroup(id: string): Promise<ReservationGroupFacts>;
  /** `Registered` where it is. */
  featureState(feature: typeof infinibandFeature): Promise<string>;
  /** Rejects where there is no such user-assigned identity. */
  identity(id: string): Promise<void>;
}

/** Reads what the pools need, all of it, and judges. */
export async function checkAksAccount(
  cluster: AksCluster,
  pools: readonly AksPool[],
  readings: AksReadings,
): Promise<AccountCheck> {
  const found = await Promise.all([
    checkIdentity(cluster, readings),
    checkCluster(cluster, readings),
    ...pools.map(async (pool, index) => checkReservation(cluster, pool, index, readings)),
    ...(pools.some(({ infiniband }) => infiniband)
      ? [
          problemsOf(
            {
              what: `the feature ${infinibandFeature.name}`,
              missing: featureProblems("not registered").join(),
            },
            async () => featureProblems(await readings.featureState(infinibandFeature)),
          ),
        ]
      : []),
  ]);
  return together(found);
}

/** Source: azure.github.io/aks-rdma-infiniband, getting started. */
function featureProblems(state: string): readonly string[] {
  if (state === "Registered") return [];
  const { providerNamespace, name } = infinibandFeature;
  return [
    `infiniband needs the feature ${name}, which is ${state}: \`az feature register --namespace ${providerNamespace} --name ${name}\`, and once it is Registered, \`az provider register --namespace ${providerNamespace}\``,
  ];
}

async function checkReservation(
  { location }: AksCluster,
  pool: AksPool,
  index: number,
  readings: AksReadings,
): Promise<AccountCheck> {
  const { capacity } = pool;
  if (capacity.kind !== "reserved") return nothingFound;
  const subject = {
    what: `the capacity reservation group ${capacity.reservation}`,
    missing: `pools[${index}].capacity.reservation: write the id of one that is there, as \`az capacity reservation group list\` has it`,
  };
  return problemsOf(subject, async () =>
    reservationProblems(location, pool, index, await readings.reservationGroup(capacity.reservation)),
  );
}

async function checkIdentity({ identity }: AksCluster, readings: AksReadings): Promise<AccountCheck> {
  if (identity === undefined) return nothingFound;
  const subject = {
    what: `the identity ${identity}`,
    missing: "cluster.identity: write the id of one that is there, as `az identity list` has it",
  };
  return problemsOf(subject, async () => {
    await readings.identity(identity);
    return [];
  });
}

function reservationProblems(
  location: string,
  { capacity, machineShape, nodes }: AksPool,
  index: number,
  group: ReservationGroupFacts,
): readonly string[] {
  const path = `pools[${index}].capacity`;
  if (group.location !== location) {
    return [`${path}.reservation: it is in ${group.location}, and the cluster in ${location}: write another`];
  }
  const zone = capacity.kind === "reserved" ? capacity.zone : undefined;
  const isThere = ({ zones }: { readonly zones: readonly string[] }): boolean =>
    zone === undefined ? zones.length === 0 : zones.includes(zone);
  if (!isThere(group)) {
    return [
      group.zones.length === 0
        ? `${path}.zone: the reservation is the region's, of no zone: leave zone out`
        : `${path}.zone: the reservation has zones ${group.zones.join(", ")}: write one of them`,
    ];
  }
  const holds = group.reservations
    .filter((reservation) => reservation.machine === machineShape && isThere(reservation))
    .reduce((sum, { count }) => sum + count, 0);
  if (holds >= nodes.max) return [];
  return [
    holds === 0
      ? `${path}.reservation: it holds no ${machineShape}${zone === undefined ? "" : ` in zone ${zone}`}, but ${describeAll(group)}: write another, or another machineShape`
      : `${path}.reservation: it holds ${holds} x ${machineShape}, and the pool may have ${nodes.max}: write nodes.max ${holds}, or reserve more`,
  ];
}

function describeAll({ reservations }: ReservationGroupFacts): string {
  const all = reservations.map(({ count, machine }) => `${count} x ${machine}`).join(", ");
  return all === "" ? "nothing" : all;
}
