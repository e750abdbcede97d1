// What AKS refuses of an agent pool: its shape, its place, and what of one that is there cannot be changed. What a person
// may write (names, versions, zones) stands once, in infra/clouds/aks/config; these judge what the components make of it,
// and what the account holds.

import { isPropertyList, type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudView } from "../cloud.ts";
import { locationOf, userIdentity, vmSizeRefusal } from "./cluster.ts";
import { findMachine, gpuShape, quotaFamilies, spotQuota } from "./machines.ts";
import { clusterId, lastPart, part, refusal, types } from "./names.ts";
import { nodeCount } from "./nodes.ts";

export function agentPoolRefusal(
  inputs: PropertyMap,
  cloud: CloudView,
  before?: CloudRecord,
): string | undefined {
  const of = cloud.find(types.cluster, clusterId(inputs, cloud));
  if (of === undefined) {
    return refusal(
      404,
      "ResourceNotFound",
      `The Resource 'Microsoft.ContainerService/managedClusters/${textOf(inputs["resourceName"])}' under resource group '${textOf(inputs["resourceGroupName"])}' was not found.`,
    );
  }
  return (
    (before === undefined ? undefined : changeRefusal(inputs, before)) ??
    shapeRefusal(inputs) ??
    sizeRefusal(inputs) ??
    spotRefusal(inputs) ??
    upgradeRefusal(inputs) ??
    reservationRefusal(inputs, of, cloud) ??
    quotaRefusal(inputs, of, cloud)
  );
}

/**
 * Fields that a pool keeps. Sources: @pulumi/azure-native containerservice/agentPool.d.ts (osDiskType, hostGroupID),
 * learn.microsoft.com/azure/aks/{spot-node-pool,manage-node-pools,create-node-pools,concepts-storage}.
 */
const kept = [
  "availabilityZones",
  "capacityReservationGroupID",
  "gpuInstanceProfile",
  "hostGroupID",
  "kubeletDiskType",
  "maxPods",
  "osDiskSizeGB",
  "osDiskType",
  "osType",
  "podSubnetID",
  "proximityPlacementGroupID",
  "scaleSetEvictionPolicy",
  "scaleSetPriority",
  "spotMaxPrice",
  "type",
  "vmSize",
  "vnetSubnetID",
];

function changeRefusal(inputs: PropertyMap, before: CloudRecord): string | undefined {
  const changed = kept.find(
    (field) => JSON.stringify(inputs[field]) !== JSON.stringify(before.inputs[field]),
  );
  return changed === undefined
    ? undefined
    : refusal(409, "PropertyChangeNotAllowed", `Changing property 'properties.${changed}' is not allowed.`);
}

function shapeRefusal(inputs: PropertyMap): string | undefined {
  const vmSize = textOf(inputs["vmSize"]);
  if (findMachine(vmSize, undefined) === undefined) return vmSizeRefusal(vmSize);
  // learn.microsoft.com/azure/aks/use-nvidia-gpu: A100 and H100 sizes have no Azure Linux.
  if (gpuShape(vmSize) !== undefined && textOf(inputs["osSKU"]).startsWith("AzureLinux")) {
    return refusal(
      400,
      "BadRequest",
      `The VM size ${vmSize} is not supported with OS SKU ${textOf(inputs["osSKU"])}.`,
    );
  }
  return undefined;
}

/** @pulumi/azure-native containerservice/agentPool.d.ts: 0 to 1000 nodes in user pools, 1 to 1000 in system pools. */
function sizeRefusal(inputs: PropertyMap): string | undefined {
  const least = inputs["mode"] === "System" ? 1 : 0;
  const counts = ["count", "minCount", "maxCount"].flatMap((field) => {
    const value = inputs[field];
    return typeof value === "number" ? [value] : [];
  });
  if (counts.some((count) => count < least || count > 1000)) {
    return refusal(
      400,
      "InvalidParameter",
      `The value of parameter agentPool.count is invalid: it must be in the range ${least} to 1000.`,
    );
  }
  const [min, max] = [inputs["minCount"], inputs["maxCount"]];
  const isOrdered = typeof min === "number" && typeof max === "number" && min <= max;
  return inputs["enableAutoScaling"] === true && !isOrdered
    ? refusal(
        400,
        "InvalidParameter",
        "Auto scaling needs minCount and maxCount, the first not above the second.",
      )
    : undefined;
}

/** learn.microsoft.com/azure/aks/spot-node-pool, Limitations. */
function spotRefusal(inputs: PropertyMap): string | undefined {
  const isSpot = inputs["scaleSetPriority"] === "Spot";
  const price = inputs["spotMaxPrice"];
  if (!isSpot && (price !== undefined || inputs["scaleSetEvictionPolicy"] !== undefined)) {
    return refusal(
      400,
      "InvalidParameter",
      "Eviction policy and max price can be set only where the priority is Spot.",
    );
  }
  if (isSpot && inputs["mode"] === "System") {
    return refusal(400, "InvalidParameter", "A spot pool cannot be a system pool.");
  }
  return isSpot && typeof price === "number" && price !== -1 && price <= 0
    ? refusal(400, "InvalidParameter", "Max price must be -1 or greater than zero.")
    : undefined;
}

/** learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling, Customize unavailable nodes. */
function upgradeRefusal(inputs: PropertyMap): string | undefined {
  const settings = part(inputs, "upgradeSettings");
  const isZero = (field: string, absent: boolean) =>
    settings[field] === undefined ? absent : Number.parseInt(textOf(settings[field]), 10) === 0;
  if (!isZero("maxUnavailable", true) && inputs["mode"] === "System") {
    return refusal(400, "InvalidParameter", "maxUnavailable cannot be set on system node pools.");
  }
  return isZero("maxSurge", false) && isZero("maxUnavailable", true)
    ? refusal(400, "InvalidParameter", "maxSurge and maxUnavailable cannot both be 0.")
    : undefined;
}

/** learn.microsoft.com/azure/aks/use-capacity-reservation-groups, Prerequisites. */
function reservationRefusal(
  inputs: PropertyMap,
  of: CloudRecord,
  { account }: CloudView,
): string | undefined {
  const group = inputs["capacityReservationGroupID"];
  if (group === undefined) return undefined;
  if (userIdentity(of) === undefined) {
    return refusal(
      400,
      "BadRequest",
      "Capacity reservation groups need a cluster with a user-assigned identity.",
    );
  }
  const zones = isPropertyList(inputs["availabilityZones"]) ? inputs["availabilityZones"].map(textOf) : [];
  const held = (account.reservations ?? [])
    .filter(
      ({ name, machineType, zone }) =>
        name === lastPart(group) &&
        machineType === inputs["vmSize"] &&
        (zones.length === 0 ? zone === "" : zones.includes(zone)),
    )
    .reduce((sum, { count }) => sum + count, 0);
  return held >= nodeCount(inputs)
    ? undefined
    : refusal(
        409,
        "OverconstrainedAllocationRequest",
        `The capacity reservation group ${lastPart(group)} does not hold ${nodeCount(inputs)} machines of size ${textOf(inputs["vmSize"])} there.`,
      );
}

/** learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes: quotas are of vCPUs, by family and region. */
function quotaRefusal(inputs: PropertyMap, of: CloudRecord, cloud: CloudView): string | undefined {
  const vmSize = textOf(inputs["vmSize"]);
  const family = inputs["scaleSetPriority"] === "Spot" ? spotQuota : (quotaFamilies[vmSize] ?? "");
  const location = locationOf(of.inputs, cloud);
  const quota = cloud.account.quotas?.[`${family}@${location}`];
  const cores = (findMachine(vmSize, undefined)?.cpuCores ?? 0) * nodeCount(inputs);
  return quota === undefined || cores <= quota
    ? undefined
    : refusal(
        400,
        "ErrCode_InsufficientVCPUQuota",
        `Insufficient vcpu quota requested ${cores}, remaining ${quota} for family ${family} for region ${location}.`,
      );
}
