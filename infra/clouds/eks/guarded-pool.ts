// A GPU pool of EKS as the guard sees it: the node group, with the launch template that says where its nodes come from, and
// the network and the cluster that it stands in.
import { isDeepStrictEqual } from "node:util";
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { GuardedPool } from "../../guards/guard-pools.ts";
import { fieldsOf } from "../../guards/replacing-field.ts";
import { privateSubnet } from "./components/addresses.ts";
import { launchTemplateFacts, nodeGroupFacts } from "./components/gpu-node-group.ts";
import {
  accountReplacingFields,
  launchTemplateReplacingFields,
  launchTemplateRollingFields,
  networkReplacingFields,
  nodeGroupReplacingFields,
  nodeGroupRollingFields,
} from "./components/replacing-fields.ts";
import type { EksCluster } from "./config/cluster.ts";
import type { EksPool } from "./config/pool.ts";

/** Ids of subnets are known only to AWS: they change with the pool's zones, and with the blocks of these. */
export const guardedPool = (cluster: EksCluster, pool: EksPool, now: Date): GuardedPool => ({
  name: pool.name,
  nodes: pool.nodes.max,
  gpusPerNode: findMachineShape(pool.machineShape)?.gpusPerNode ?? 0,
  args: {
    ...nodeGroupFacts(cluster, pool, now),
    subnetIds: pool.zones,
    launchTemplate: { ...launchTemplateFacts(cluster, pool), ...blockOf(pool) },
    network: {
      cidrBlock: cluster.network.cidr,
      subnets: pool.zones.map((zone) => ({
        zone,
        cidrBlock: privateSubnet(cluster.network.cidr, cluster.network.zones.indexOf(zone)),
      })),
    },
    provider: { region: cluster.region },
  },
  fields: [
    ...nodeGroupReplacingFields,
    ...fieldsOf("launchTemplate", launchTemplateReplacingFields).map((each) =>
      each.field === reservationField ? { ...each, harmless: isNextBlock(now) } : each,
    ),
    ...fieldsOf("network", networkReplacingFields),
    ...fieldsOf("provider", accountReplacingFields),
  ],
  rollout: {
    fields: [...nodeGroupRollingFields, ...fieldsOf("launchTemplate", launchTemplateRollingFields)],
    pace: "one at a time, the old one first",
  },
});

const reservationField = "launchTemplate.capacityReservationSpecification";

/** A capacity block as it is remembered: with its end, after which the pool has no node that a change could cost. */
interface RememberedBlock {
  readonly capacityReservationTarget: { readonly capacityReservationId: string };
  readonly blockEnds: string;
}

function blockOf({ capacity }: EksPool): { readonly capacityReservationSpecification?: RememberedBlock } {
  if (capacity.kind !== "capacityBlock") return {};
  const { reservation, end } = capacity;
  return {
    capacityReservationSpecification: {
      capacityReservationTarget: { capacityReservationId: reservation },
      blockEnds: end,
    },
  };
}

/** Whether a block is only longer than it was, or another one follows one that is over. */
const isNextBlock =
  (now: Date) =>
  (old: unknown, next: unknown): boolean => {
    if (!isBlock(old) || !isBlock(next)) return false;
    const isSame = isDeepStrictEqual(old.capacityReservationTarget, next.capacityReservationTarget);
    return isSame || Date.parse(old.blockEnds) <= now.getTime();
  };

const isBlock = (value: unknown): value is RememberedBlock =>
  typeof value === "object" && value !== null && "blockEnds" in value;
