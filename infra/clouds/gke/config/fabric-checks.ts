// Which network between the nodes' GPUs a pool can have. A wrong one never errors, it is only slow: NCCL reaches about
// 340 GB/s over GPUDirect-TCPXO and 4 GB/s over plain TCP (docs.nvidia.com/aicr, GKE TCPXO networking).
import type { GkeCluster } from "./cluster.ts";
import { versionProblems } from "./version-checks.ts";
import type { Found } from "./version-checks.ts";
import { dranetVersion, findGkeShape, multiNetworkOf } from "./machines.ts";
import type { MultiNetwork } from "./machines.ts";
import type { GkePool } from "./pool.ts";
import { missedFloor } from "./version.ts";

type Fabric = NonNullable<GkePool["fabric"]>;

export function fabricProblems(pool: GkePool, cluster: GkeCluster | undefined): readonly Found[] {
  const { machineShape, fabric, nodes } = pool;
  const shape = findGkeShape(machineShape);
  if (shape === undefined) return [];
  if (shape.fabric.type === "none") {
    return fabric === undefined || fabric.kind === "none"
      ? []
      : [["fabric.kind", `${machineShape} has no network for its GPUs: write none, or leave fabric out`]];
  }
  if (fabric === undefined)
    return nodes.max > 1 ? [["fabric", `required: write ${choicesOf(machineShape)}`]] : [];
  return kindProblems(pool, fabric, cluster);
}

function kindProblems(
  { machineShape }: GkePool,
  fabric: Fabric,
  cluster: GkeCluster | undefined,
): readonly Found[] {
  switch (fabric.kind) {
    case "none":
      return [];
    case "dranet":
      return versionProblems("fabric.kind", "dranet", dranetVersion, cluster);
    case "multiNetwork": {
      const known = multiNetworkOf(machineShape);
      if (known === undefined) {
        return [
          ["fabric.kind", `networks of your own are not known for ${machineShape}: write { kind: dranet }`],
        ];
      }
      return [
        ...networkProblems(machineShape, known, fabric.networks),
        ...floorProblems(machineShape, known, cluster),
      ];
    }
    default:
      return fabric satisfies never;
  }
}

function networkProblems(
  machineShape: string,
  { networks }: MultiNetwork,
  given: readonly unknown[] | undefined,
): readonly Found[] {
  if (given === undefined || given.length === networks) return [];
  return [
    [
      "fabric.networks",
      `${machineShape} has ${networks} further interfaces, and there are ${given.length} networks: write ${networks}, leave networks out and the stack makes them, or write { kind: dranet }`,
    ],
  ];
}

function floorProblems(
  machineShape: string,
  { versions }: MultiNetwork,
  cluster: GkeCluster | undefined,
): readonly Found[] {
  if (cluster?.version === undefined) return [];
  const floor = missedFloor(cluster.version, versions);
  return floor === undefined
    ? []
    : [
        [
          "fabric.kind",
          `${machineShape} with several networks needs GKE ${floor} or later, and cluster.version is ${cluster.version}: write at least that`,
        ],
      ];
}

function choicesOf(machineShape: string): string {
  const known = multiNetworkOf(machineShape);
  const made = known === undefined ? "" : `{ kind: multiNetwork } (${known.networks} further networks), `;
  return `${made}{ kind: dranet } (networks that GKE makes), or { kind: none } where every model fits on one node`;
}
