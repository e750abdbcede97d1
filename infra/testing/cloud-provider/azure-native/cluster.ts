// AKS clusters. What is replaced: provider/pkg/gen/replacement.go of pulumi/pulumi-azure-native, and the path.

import {
  isPropertyList,
  isPropertyMap,
  type PropertyMap,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import { findMachine } from "./machines.ts";
import { alreadyThere, clusterId, missingGroup, part, refusal, types } from "./names.ts";
import { agentPoolNodes } from "./nodes.ts";

const networkProfile = (...fields: readonly string[]) => fields.map((field) => `networkProfile.${field}`);

export const cluster: CloudResource = {
  required: ["resourceGroupName"],
  nameInput: "resourceName",
  id: clusterId,
  conflict: alreadyThere,
  replacing: [
    "resourceGroupName",
    "resourceName",
    "location",
    "diskEncryptionSetID",
    "dnsPrefix",
    "fqdnSubdomain",
    "linuxProfile",
    "nodeResourceGroup",
    "windowsProfile",
    ...networkProfile(
      "serviceCidr",
      "serviceCidrs",
      "dnsServiceIP",
      "networkMode",
      "networkPlugin",
      "networkPluginMode",
      "podCidr",
      "networkDataplane",
      "networkPolicy",
      "outboundType",
    ),
  ],
  refusal(inputs, cloud, before) {
    return (
      missingGroup(inputs, cloud) ??
      poolsRefusal(inputs) ??
      accessRefusal(inputs) ??
      versionRefusal(inputs, cloud, before) ??
      (before === undefined ? undefined : keptMachineRefusal(inputs, before))
    );
  },
  takesAlong: ({ id }, cloud) => poolsOf(id, cloud),
  outputs({ inputs, serial }, cloud) {
    const name = textOf(inputs["resourceName"]);
    const fqdn = `${textOf(inputs["dnsPrefix"]) || name}-${serial}.hcp.${locationOf(inputs, cloud)}.azmk8s.io`;
    const isPrivate = part(inputs, "apiServerAccessProfile")["enablePrivateCluster"] === true;
    return {
      name,
      location: locationOf(inputs, cloud),
      ...(isPrivate ? { privateFQDN: fqdn } : { fqdn }),
      currentKubernetesVersion:
        resolveVersion(textOf(inputs["kubernetesVersion"]), cloud) ?? textOf(inputs["kubernetesVersion"]),
      nodeResourceGroup: `MC_${textOf(inputs["resourceGroupName"])}_${name}_${locationOf(inputs, cloud)}`,
      maxAgentPools: 100,
      provisioningState: "Succeeded",
      powerState: { code: "Running" },
    };
  },
  /** The first pool that is inside it; this stack has no other. */
  nodes(record, cloud) {
    const [pool] = inlinePools(record.inputs);
    return pool === undefined
      ? undefined
      : agentPoolNodes(pool, {
          clusterId: record.id,
          name: textOf(pool["name"]),
          location: locationOf(record.inputs, cloud),
        });
  },
};

export function locationOf(inputs: PropertyMap, { provider }: CloudView): string {
  return textOf(inputs["location"] ?? provider["location"]);
}

export function poolsOf(id: string, cloud: CloudView): readonly CloudRecord[] {
  return cloud.records(types.agentPool).filter((pool) => pool.id.startsWith(`${id}/agentPools/`));
}

export function inlinePools(inputs: PropertyMap): readonly PropertyMap[] {
  const pools = inputs["agentPoolProfiles"];
  return isPropertyList(pools) ? pools.filter(isPropertyMap) : [];
}

/** learn.microsoft.com/azure/aks/use-system-pools: a cluster has a system pool with a node in it, always. */
function poolsRefusal(inputs: PropertyMap): string | undefined {
  const pools = inlinePools(inputs);
  if (pools.length === 0) {
    return refusal(400, "InvalidParameter", "Required parameter agentPoolProfiles is missing (null).");
  }
  const system = pools.filter(({ mode }) => mode === "System");
  if (system.every(({ count }) => count === 0)) {
    return refusal(
      400,
      "BadRequest",
      "There has to be at least one system agent pool with at least one node.",
    );
  }
  const unknown = pools.find(({ vmSize }) => findMachine(textOf(vmSize), undefined) === undefined);
  return unknown === undefined ? undefined : vmSizeRefusal(textOf(unknown["vmSize"]));
}

/** learn.microsoft.com/azure/aks/supported-kubernetes-versions: what AKS has, in November 2026; patches are made up. */
const soldVersions = ({ account }: CloudView): readonly string[] =>
  account.versions ?? ["1.34.9", "1.35.6", "1.36.3", "1.37.1"];

/** The newest patch that is sold of a minor version, or the whole version itself. */
const resolveVersion = (asked: string, cloud: CloudView): string | undefined =>
  soldVersions(cloud).findLast((sold) => sold === asked || sold.startsWith(`${asked}.`));

/** learn.microsoft.com/azure/aks/{supported-kubernetes-versions,upgrade-aks-cluster}; Azure/AKS issue 3552 for the words. */
function versionRefusal(
  inputs: PropertyMap,
  cloud: CloudView,
  before: CloudRecord | undefined,
): string | undefined {
  const asked = textOf(inputs["kubernetesVersion"]);
  if (before !== undefined && before.inputs["kubernetesVersion"] === inputs["kubernetesVersion"]) {
    return undefined;
  }
  const running = textOf(before?.outputs["currentKubernetesVersion"]);
  const step = Number(asked.split(".")[1]) - Number(running.split(".")[1]);
  if (running !== "" && step !== 0 && step !== 1) {
    return refusal(
      400,
      "OperationNotAllowed",
      `Upgrading Kubernetes version ${running} to ${asked} is not allowed. Available upgrades: the next minor version.`,
    );
  }
  return asked === "" || resolveVersion(asked, cloud) !== undefined
    ? undefined
    : refusal(
        400,
        "K8sVersionNotSupported",
        `Managed cluster ${textOf(inputs["resourceName"])} is on version ${asked}, which is not supported in this region.`,
      );
}

/** A pool keeps its machine, inside the cluster's resource as in its own: see agent-pool-refusals.ts. */
function keptMachineRefusal(inputs: PropertyMap, before: CloudRecord): string | undefined {
  const former = new Map(inlinePools(before.inputs).map(({ name, vmSize }) => [name, vmSize]));
  const changed = inlinePools(inputs).some(
    ({ name, vmSize }) => former.has(name) && former.get(name) !== vmSize,
  );
  return changed
    ? refusal(409, "PropertyChangeNotAllowed", "Changing property 'properties.vmSize' is not allowed.")
    : undefined;
}

export const vmSizeRefusal = (vmSize: string): string =>
  refusal(
    400,
    "BadRequest",
    `The VM size of ${vmSize} is not allowed in your subscription in this location.`,
  );

/** learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad: Entra first. */
function accessRefusal(inputs: PropertyMap): string | undefined {
  if (inputs["disableLocalAccounts"] !== true || part(inputs, "aadProfile")["managed"] === true)
    return undefined;
  return refusal(400, "BadRequest", "Disabling local accounts is only allowed on AAD managed clusters.");
}

/** Id of the identity that acts for the cluster; undefined where Azure made it. */
export function userIdentity({ inputs }: CloudRecord): string | undefined {
  const identity = part(inputs, "identity");
  const listed = identity["userAssignedIdentities"];
  return identity["type"] === "UserAssigned" && isPropertyList(listed) ? textOf(listed[0]) : undefined;
}
