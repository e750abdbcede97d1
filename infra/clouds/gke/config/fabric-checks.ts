// Which network between the nodes' GPUs a pool can have. A wrong one never errors, it is only slow: NCCL reaches about
// 340 GB/s over GPUDirect-TCPXO and 4 GB/s over plain TCP (docs.nvidia.com/aicr, GKE TCPXO networking).
import { findGkeShape, furtherNetworksOf } from "./machines.ts";
import type { GkePool } from "./pool.ts";

/** What is wrong in a pool: the field below the pool, and the message. */
export type Found = readonly [field: string, message: string];

type Fabric = NonNullable<GkePool["fabric"]>;

export function fabricProblems(pool: GkePool): readonly Found[] {
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
  return kindProblems(pool, fabric);
}

function kindProblems({ machineShape }: GkePool, fabric: Fabric): readonly Found[] {
  switch (fabric.kind) {
    case "none":
    case "dranet":
      return [];
    case "multiNetwork": {
      const known = furtherNetworksOf(machineShape);
      if (known === undefined) {
        return [
          ["fabric.kind", `networks of your own are not known for ${machineShape}: write { kind: dranet }`],
        ];
      }
      return networkProblems(machineShape, known, fabric.networks);
    }
    default:
      return fabric satisfies never;
  }
}

function networkProblems(
  machineShape: string,
  networks: number,
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

function choicesOf(machineShape: string): string {
  const known = furtherNetworksOf(machineShape);
  const made = known === undefined ? "" : `{ kind: multiNetwork } (${known} further networks), `;
  return `${made}{ kind: dranet } (networks that GKE makes), or { kind: none } where every model fits on one node`;
}
