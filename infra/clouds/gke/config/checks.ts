// GKE's rules across fields. Google Cloud would refuse each of these after minutes, or take it and be slow; the messages
// say what to write instead. Most are preconditions of GoogleCloudPlatform/cluster-toolkit, modules/compute/gke-node-pool.
import { counted } from "@llama-operator/llama/planning";
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { gpuOperatorProblems } from "../../gpu-operator.ts";
import { systemPoolName } from "./cluster.ts";
import type { GkeCluster } from "./cluster.ts";
import { tooOld } from "../../kubernetes-version.ts";
import { fabricProblems } from "./fabric-checks.ts";
import type { Found } from "./fabric-checks.ts";
import { compactFlexStartShapes } from "./machines.ts";
import { maintenanceProblems } from "./maintenance.ts";
import { rangeProblems } from "./network-ranges.ts";
import type { GkePool } from "./pool.ts";

/**
 * Zones that a regional cluster's pool has unless it says.
 * Source: docs.cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters.
 */
const zonesOfRegion = 3;

export function gkeProblems(
  cluster: GkeCluster | undefined,
  pools: readonly (GkePool | undefined)[],
): readonly ConfigurationProblem[] {
  return [
    ...(cluster === undefined
      ? []
      : [...clusterProblems(cluster), ...rangeProblems(cluster, pools), ...maintenanceProblems(cluster)]),
    ...gpuOperatorProblems(
      pools,
      ({ driver }) => driver !== "gpuOperator",
      (operated, { driver }) =>
        `${operated} has the GPU Operator, whose device plugin would run here beside GKE's: write gpuOperator in both, or ${driver} in both`,
    ),
    ...pools.flatMap((pool, index) => {
      if (pool === undefined) return [];
      const found = [
        ...nameProblems(pool),
        ...zoneProblems(pool, cluster),
        ...sizeProblems(pool),
        ...placementProblems(pool),
        ...capacityProblems(pool),
        ...fabricProblems(pool),
      ];
      return found.map(([field, message]) => ({ path: `pools[${index}].${field}`, message }));
    }),
  ];
}

function clusterProblems({
  version,
  region,
  systemPool: { zones, nodes },
}: GkeCluster): readonly ConfigurationProblem[] {
  const begins = zones?.length ?? zonesOfRegion;
  const few: ConfigurationProblem = {
    path: "cluster.systemPool.nodes.max",
    message: `it begins with a node in each of its ${counted(begins, "zone")}: write ${begins} or more, or fewer zones`,
  };
  return [
    ...tooOld("cluster.version", version),
    ...(zones ?? []).flatMap((zone, index) =>
      isIn(zone, region)
        ? []
        : [{ path: `cluster.systemPool.zones[${index}]`, message: outside(zone, region) }],
    ),
    ...(nodes.max < begins ? [few] : []),
  ];
}

function nameProblems({ name }: GkePool): readonly Found[] {
  return name === systemPoolName
    ? [["name", `the nodes that run everything else are called ${name}: write another name`]]
    : [];
}

const isIn = (zone: string, region: string): boolean => zone.startsWith(`${region}-`);

const outside = (zone: string, region: string): string =>
  `${zone} is not in ${region}: write a zone of it, such as ${region}-a`;

function zoneProblems({ zones }: GkePool, cluster: GkeCluster | undefined): readonly Found[] {
  const twice = zones.findIndex((zone, index) => zones.indexOf(zone) !== index);
  return [
    ...(cluster === undefined
      ? []
      : zones.flatMap((zone, index): readonly Found[] =>
          isIn(zone, cluster.region) ? [] : [[`zones[${index}]`, outside(zone, cluster.region)]],
        )),
    ...(twice === -1
      ? []
      : ([[`zones[${twice}]`, `${String(zones[twice])} is there twice: leave it out`]] as const)),
  ];
}

/** GKE counts nodes by zone: those of a pool without autoscaler, and those that one with an autoscaler begins with. */
function sizeProblems({ nodes: { min, max }, zones }: GkePool): readonly Found[] {
  const perZone = counted(zones.length, "zone");
  const whole = (nodes: number) => Math.ceil(nodes / zones.length) * zones.length;
  if (min === max && whole(max) !== max) {
    return [
      [
        "nodes.max",
        `a pool of fixed size has as many nodes in each of its ${perZone}: write ${whole(max)} for both, one zone, or a smaller min for the autoscaler to choose`,
      ],
    ];
  }
  return min < max && whole(min) !== min
    ? [
        [
          "nodes.min",
          `a pool begins with as many nodes in each of its ${perZone}: write ${whole(min)}, or 0, or one zone`,
        ],
      ]
    : [];
}

function placementProblems({ placement, zones, upgrade, capacity, machineShape }: GkePool): readonly Found[] {
  if (placement === undefined) return [];
  const found: Found[] = [];
  if (zones.length !== 1) {
    found.push([
      "zones",
      `compact placement is within one zone: write only ${String(zones[0])}, or a pool a zone`,
    ]);
  }
  if (upgrade.strategy === "blueGreen") {
    found.push([
      "upgrade.strategy",
      "compact placement cannot hold both pools of a blue-green upgrade: write surge",
    ]);
  }
  if (capacity.kind === "queued") {
    found.push(["placement", "queued nodes are placed by their request: leave placement out"]);
  }
  if (capacity.kind === "flexStart" && !compactFlexStartShapes.includes(machineShape)) {
    found.push([
      "placement",
      `flex-start places only ${compactFlexStartShapes.join(" and ")} compactly: leave placement out`,
    ]);
  }
  return found;
}

function capacityProblems(pool: GkePool): readonly Found[] {
  const { capacity } = pool;
  switch (capacity.kind) {
    case "onDemand":
    case "spot":
    // That a queued pool begins empty is a rule of every cloud.
    case "queued":
      return [];
    case "reserved":
      return reservedProblems(pool);
    case "flexStart":
      return flexStartProblems(pool);
    default:
      return capacity satisfies never;
  }
}

/** A reservation is in one zone, and holds no node more than it has. */
function reservedProblems({ capacity, zones, upgrade, placement }: GkePool): readonly Found[] {
  const found = [...reservedPlacementProblems(capacity, placement)];
  if (zones.length !== 1) {
    found.push(["zones", `a reservation is in one zone: write only its own, such as ${String(zones[0])}`]);
  }
  if (upgrade.strategy === "blueGreen") {
    found.push(["upgrade.strategy", "a reservation has no room for a second pool: write surge"]);
  } else if (upgrade.maxSurge > 0) {
    found.push([
      "upgrade.maxSurge",
      "a reservation has no room for spare nodes: write 0, and nodes are replaced one by one",
    ]);
  }
  if (capacity.kind === "reserved" && capacity.block !== undefined && capacity.project !== undefined) {
    found.push([
      "capacity.block",
      "GKE takes no block of another project's reservation: leave block out, or reserve in the cluster's project",
    ]);
  }
  return found;
}

/**
 * A reservation serves VMs of the placement policy that it was made with, and one made without any serves none that have
 * one; GKE would make a policy of its own. Shared reservations take no policy.
 * Source: docs.cloud.google.com/compute/docs/instances/use-compact-placement-policies, Restrictions;
 * google_container_node_pool placement_policy.policy_name.
 */
function reservedPlacementProblems(
  capacity: GkePool["capacity"],
  placement: GkePool["placement"],
): readonly Found[] {
  if (placement === undefined) return [];
  if (placement === "compact") {
    return [
      [
        "placement",
        "no reservation is of a placement policy that GKE is yet to make: leave placement out, or write { policy } of the policy that the reservation was made with",
      ],
    ];
  }
  return capacity.kind === "reserved" && capacity.project !== undefined
    ? [
        [
          "placement",
          "a reservation that another project shares serves no placement policy: leave placement out",
        ],
      ]
    : [];
}

function flexStartProblems({ repair, nodes }: GkePool): readonly Found[] {
  const found: Found[] = [];
  if (repair === true) {
    found.push(["repair", "GKE repairs no flex-start node: write false, or leave it out"]);
  }
  if (nodes.min > 0) {
    found.push(["nodes.min", "flex-start nodes come when pods want them, and go: write 0"]);
  }
  return found;
}
