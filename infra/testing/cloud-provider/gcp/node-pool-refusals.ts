// What GKE's API says no to when a node pool is made or changed, in the API's manner, not its own words. Rules on what
// the components make of a configuration are after cluster-toolkit (modules/compute/gke-node-pool/main.tf,
// preconditions). Its rules on what a person writes stand once, in infra/clouds/gke/config/checks.ts: a copy here would
// agree with them whatever GKE does.

import { isPropertyList, type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudView, Reservation } from "../cloud.ts";
import { findMachine, gpuShape } from "./machines.ts";
import { lastPart, part, regionOfPlace, types } from "./names.ts";
import {
  acceleratorsOf,
  clusterIdOf,
  clusterOf,
  nodeCountOf,
  poolLocation,
  poolZones,
} from "./pool-facts.ts";

interface Asked {
  readonly inputs: PropertyMap;
  readonly config: PropertyMap;
  readonly zones: readonly string[];
  readonly machineType: string;
  readonly count: number;
  readonly cloud: CloudView;
  readonly before: CloudRecord | undefined;
}

type Rule = (asked: Asked) => string | undefined;

export function nodePoolRefusal(
  inputs: PropertyMap,
  cloud: CloudView,
  before?: CloudRecord,
): string | undefined {
  const id = clusterIdOf(inputs, cloud);
  if (clusterOf(inputs, cloud) === undefined) {
    return refused(before, `googleapi: Error 404: Not found: ${id}., notFound`);
  }
  const config = part(inputs, "nodeConfig");
  const asked = {
    inputs,
    config,
    zones: poolZones(inputs, cloud),
    machineType: textOf(config["machineType"]) || "e2-medium",
    count: nodeCountOf(inputs, cloud),
    cloud,
    before,
  };
  for (const rule of [
    placeRule,
    machineRule,
    placementRule,
    spotRule,
    flexStartRule,
    queuedRule,
    ...others,
  ]) {
    const problem = rule(asked);
    if (problem !== undefined) return refused(before, `googleapi: Error 400: ${problem}, badRequest`);
  }
  return quotaRefusal(asked);
}

/** The provider says what it was about to do. */
const refused = (before: CloudRecord | undefined, problem: string): string =>
  `error ${before === undefined ? "creating" : "updating"} NodePool: ${problem}`;

const placeRule: Rule = ({ zones, inputs, cloud }) => {
  const region = regionOfPlace(poolLocation(inputs, cloud));
  const strange = zones.find((zone) => regionOfPlace(zone) !== region);
  return strange === undefined ? undefined : `Zone "${strange}" is not in the cluster's region "${region}".`;
};

const machineRule: Rule = ({ machineType, config, zones }) => {
  if (findMachine(machineType, 0) === undefined) {
    return `Machine type with name '${machineType}' does not exist in zone '${zones[0]}'.`;
  }
  const [accelerator] = acceleratorsOf(config);
  if (accelerator === undefined) return undefined;
  const shape = gpuShape(machineType);
  const [type, count] = [shape?.gpu, shape?.gpusPerNode];
  return accelerator.type === type && accelerator.count === count
    ? undefined
    : `Accelerator type "${accelerator.type}" with count ${accelerator.count} is not supported for machine type ${machineType}.`;
};

const isCompact = ({ inputs }: Asked) => part(inputs, "placementPolicy")["type"] === "COMPACT";
const isQueued = ({ inputs }: Asked) => part(inputs, "queuedProvisioning")["enabled"] === true;

const placementRule: Rule = (asked) => {
  if (!isCompact(asked)) return undefined;
  const policy = part(asked.inputs, "placementPolicy")["policyName"];
  const isThere = asked.cloud
    .records(types.resourcePolicy)
    .some(({ inputs }) => inputs["name"] === lastPart(policy));
  return policy === undefined || isThere ? undefined : `Resource policy "${lastPart(policy)}" was not found.`;
};

const affinityOf = (config: PropertyMap): string =>
  textOf(part(config, "reservationAffinity")["consumeReservationType"]) || "UNSPECIFIED";

const takesReservation = (config: PropertyMap): boolean =>
  !["NO_RESERVATION", "UNSPECIFIED"].includes(affinityOf(config));

const spotRule: Rule = ({ config }) =>
  config["spot"] === true && takesReservation(config)
    ? "Spot VMs cannot consume a reservation: use NO_RESERVATION."
    : undefined;

const flexStartRule: Rule = ({ config, inputs }) => {
  if (config["flexStart"] !== true) return undefined;
  if (part(inputs, "management")["autoRepair"] !== false) {
    return "Flex-start node pools require auto-repair to be disabled.";
  }
  if (config["spot"] === true) return "Flex-start cannot be used with Spot VMs.";
  if (affinityOf(config) !== "NO_RESERVATION") {
    return "Flex-start node pools require the reservation affinity NO_RESERVATION.";
  }
  return inputs["autoscaling"] === undefined ? "Flex-start node pools require autoscaling." : undefined;
};

const queuedRule: Rule = (asked) => {
  if (!isQueued(asked)) return undefined;
  const { config, inputs } = asked;
  if (config["spot"] === true) return "Queued provisioning cannot be used with Spot VMs.";
  if (affinityOf(config) !== "NO_RESERVATION") {
    return "Queued provisioning requires the reservation affinity NO_RESERVATION.";
  }
  const autoscaling = part(inputs, "autoscaling");
  const minimum = autoscaling["totalMinNodeCount"] ?? autoscaling["minNodeCount"] ?? 0;
  return inputs["autoscaling"] === undefined || minimum !== 0
    ? "Queued provisioning requires autoscaling with a minimum of 0 nodes."
    : undefined;
};

const diskRule: Rule = ({ config }) =>
  config["ephemeralStorageLocalSsdConfig"] !== undefined && config["localNvmeSsdBlockConfig"] !== undefined
    ? "Only one of ephemeral_storage_local_ssd_config and local_nvme_ssd_block_config may be set."
    : undefined;

const upgradeRule: Rule = ({ inputs }) => {
  const { maxSurge, maxUnavailable } = part(inputs, "upgradeSettings");
  return maxSurge === 0 && (maxUnavailable ?? 0) === 0
    ? "Either max_surge or max_unavailable must be greater than zero."
    : undefined;
};

const networkRule: Rule = ({ inputs, cloud }) => {
  const { acceleratorNetworkProfile, additionalNodeNetworkConfigs } = part(inputs, "networkConfig");
  const additional = isPropertyList(additionalNodeNetworkConfigs) ? additionalNodeNetworkConfigs.length : 0;
  const cluster = clusterOf(inputs, cloud)?.inputs ?? {};
  if (acceleratorNetworkProfile !== undefined && additional > 0) {
    return "accelerator_network_profile cannot be used with additional node networks.";
  }
  if (additional > 0 && cluster["enableMultiNetworking"] !== true) {
    return "Additional node networks require a cluster with multi-networking enabled.";
  }
  return acceleratorNetworkProfile !== undefined && cluster["datapathProvider"] !== "ADVANCED_DATAPATH"
    ? "accelerator_network_profile requires a cluster with Dataplane V2."
    : undefined;
};

const reservationRule: Rule = ({ config, cloud, zones, machineType, count, before }) => {
  if (affinityOf(config) !== "SPECIFIC_RESERVATION") return undefined;
  const [name = ""] = reservationNames(config);
  const found = cloud.account.reservations?.find((each) => each.name === name && zones.includes(each.zone));
  if (found === undefined) return `Reservation "${name}" was not found in ${zones.join(", ")}.`;
  if (found.machineType !== machineType) {
    return `Reservation "${name}" is of machine type ${found.machineType}, and the node pool of ${machineType}.`;
  }
  const left = found.count - usedOf(found, cloud, before);
  return count > left
    ? `Reservation "${name}" has ${left} instances left, and ${count} are needed.`
    : undefined;
};

/** `R` of `R` and of `projects/P/reservations/R/reservationBlocks/B`. */
function reservationNames(config: PropertyMap): readonly string[] {
  const values = part(config, "reservationAffinity")["values"];
  return (isPropertyList(values) ? values : []).map(
    (value) => textOf(value).match(/reservations\/([^/]+)/)?.[1] ?? textOf(value),
  );
}

export function usedOf(reservation: Reservation, cloud: CloudView, except?: CloudRecord): number {
  return cloud
    .records(types.nodePool)
    .filter(
      ({ id, inputs }) =>
        id !== except?.id && reservationNames(part(inputs, "nodeConfig")).includes(reservation.name),
    )
    .reduce((sum, { inputs }) => sum + nodeCountOf(inputs, cloud), 0);
}

const others: readonly Rule[] = [diskRule, upgradeRule, networkRule, reservationRule];

/** Quotas are GPUs of a family in a region, `NVIDIA_H100@us-central1`: cloud.google.com/compute/resource-usage#gpu_quota. */
function quotaRefusal({ cloud, inputs, machineType, count, before }: Asked): string | undefined {
  const family = gpuFamily(machineType);
  const region = regionOfPlace(poolLocation(inputs, cloud));
  const limit = family === undefined ? undefined : cloud.account.quotas?.[`${family}@${region}`];
  if (family === undefined || limit === undefined) return undefined;
  const gpus = (machine: string, nodes: number) => (gpuShape(machine)?.gpusPerNode ?? 0) * nodes;
  const used = cloud
    .records(types.nodePool)
    .filter(({ id }) => id !== before?.id)
    .map(
      (pool) =>
        [textOf(part(pool.inputs, "nodeConfig")["machineType"]), nodeCountOf(pool.inputs, cloud)] as const,
    )
    .filter(([machine]) => gpuFamily(machine) === family)
    .reduce((sum, [machine, nodes]) => sum + gpus(machine, nodes), 0);
  const [needed, available] = [gpus(machineType, count), limit - used];
  return needed <= available
    ? undefined
    : refused(
        before,
        `googleapi: Error 403: Insufficient regional quota to satisfy request: resource "${family}": request requires '${needed}.0' and is short '${needed - available}.0'. project has a quota of '${limit}.0' with '${available}.0' available., forbidden`,
      );
}

/** The dimension gpu_family of the quota: A3 Mega has one of its own. */
function gpuFamily(machineType: string): string | undefined {
  const families: Readonly<Record<string, string>> = {
    "nvidia-h100-80gb": "NVIDIA_H100",
    "nvidia-h100-mega-80gb": "NVIDIA_H100_MEGA",
    "nvidia-h200-141gb": "NVIDIA_H200",
    "nvidia-b200": "NVIDIA_B200",
    "nvidia-a100-80gb": "NVIDIA_A100_80GB",
    "nvidia-tesla-a100": "NVIDIA_A100",
  };
  return families[gpuShape(machineType)?.gpu ?? ""];
}
