// GKE clusters. ForceNew after hashicorp/terraform-provider-google google/services/container/
// resource_container_cluster.go; what the API refuses after the fields' documentation there.

import { findMachine } from "./machines.ts";
import { isPropertyList, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import type { NodeGroup } from "../node-group.ts";
import { isZone, lastPart, locationOf, part, projectOf, referred, regionOfPlace, types } from "./names.ts";
import { resolveVersion, zonesOf } from "./places.ts";

/** The machine of a default pool that says none: the default of `nodeConfig.machineType`. */
const defaultMachineType = "e2-medium";

export const cluster: CloudResource = {
  required: [],
  defaults: { deletionProtection: true },
  nameInput: "name",
  id: (inputs, cloud) =>
    `projects/${projectOf(inputs, cloud)}/locations/${locationOf(inputs, cloud)}/clusters/${textOf(inputs["name"])}`,
  conflict: (id) =>
    `googleapi: Error 409: Already exists: ${id}.\nDetails:\n[{"@type":"type.googleapis.com/google.rpc.RequestInfo"}], alreadyExists`,
  replacing: [
    "name",
    "project",
    "location",
    "description",
    "network",
    "subnetwork",
    "networkingMode",
    "ipAllocationPolicy",
    "clusterIpv4Cidr",
    "datapathProvider",
    "defaultMaxPodsPerNode",
    "enableAutopilot",
    "enableKubernetesAlpha",
    "enableTpu",
    "initialNodeCount",
    "nodeConfig",
    "privateClusterConfig.masterIpv4CidrBlock",
    "confidentialNodes",
  ],
  refusal(inputs, cloud, before) {
    const unsold = versionRefusal(inputs, cloud, before);
    if (unsold !== undefined) return unsold;
    if (before === undefined) {
      const pool = defaultPoolRefusal(inputs, cloud);
      if (pool !== undefined) return pool;
    }
    const network = inputs["network"];
    if (
      network !== undefined &&
      lastPart(network) !== "default" &&
      referred(types.network, network, cloud) === undefined
    ) {
      return `googleapi: Error 400: Network "${lastPart(network)}" does not exist., badRequest`;
    }
    const subnetwork = inputs["subnetwork"];
    if (subnetwork !== undefined && referred(types.subnetwork, subnetwork, cloud) === undefined) {
      return `googleapi: Error 400: Subnetwork "${lastPart(subnetwork)}" does not exist., badRequest`;
    }
    const counts = inputs["initialNodeCount"] ?? inputs["nodePools"];
    if (counts === undefined && inputs["enableAutopilot"] !== true) {
      return "googleapi: Error 400: Cluster.initial_node_count must be greater than zero., badRequest";
    }
    // Multi-network Pods need Dataplane V2: cloud.google.com/kubernetes-engine/docs/how-to/setup-multinetwork-support-for-pods
    if (inputs["enableMultiNetworking"] === true && inputs["datapathProvider"] !== "ADVANCED_DATAPATH") {
      return "googleapi: Error 400: Multi-networking requires the datapath provider ADVANCED_DATAPATH., badRequest";
    }
    return undefined;
  },
  refusesDeletion: ({ inputs }) =>
    inputs["deletionProtection"] === false
      ? undefined
      : "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion.",
  takesAlong: ({ id }, cloud) => poolsOf(id, cloud),
  outputs({ id, inputs, serial }, cloud) {
    const asked = textOf(inputs["minMasterVersion"]);
    const before = cloud.find(types.cluster, id);
    const version =
      before !== undefined && textOf(before.inputs["minMasterVersion"]) === asked
        ? textOf(before.outputs["masterVersion"])
        : (resolveVersion(asked, cloud.account) ?? asked);
    return {
      project: projectOf(inputs, cloud),
      location: locationOf(inputs, cloud),
      nodeLocations: inputs["nodeLocations"] ?? zonesOf(locationOf(inputs, cloud)),
      endpoint: cloud.apiServer.host,
      masterAuth: {
        ...part(inputs, "masterAuth"),
        clusterCaCertificate: cloud.apiServer.certificateAuthority,
        clientCertificate: "",
        clientKey: "",
      },
      masterVersion: version,
      nodeVersion: inputs["nodeVersion"] ?? version,
      selfLink: `https://container.googleapis.com/v1/${id}`,
      labelFingerprint: serial.toString(16),
      operation: "",
    };
  },
  nodes: defaultPool,
};

/** Pools of a cluster, its default one left out. */
export function poolsOf(clusterId: string, cloud: CloudView): readonly CloudRecord[] {
  return cloud.records(types.nodePool).filter(({ id }) => id.startsWith(`${clusterId}/nodePools/`));
}

/**
 * A control plane gets only what is sold at the time; one that is there is not asked again.
 * hashicorp/terraform-provider-google issues 22167 (a beginning) and 2149 (a whole version).
 */
function versionRefusal(
  { minMasterVersion }: CloudRecord["inputs"],
  cloud: CloudView,
  before: CloudRecord | undefined,
): string | undefined {
  const asked = textOf(minMasterVersion);
  if (before !== undefined && textOf(before.inputs["minMasterVersion"]) === asked) return undefined;
  if (resolveVersion(asked, cloud.account) !== undefined) return undefined;
  return asked.includes("-gke.")
    ? `googleapi: Error 400: Master version "${asked}" is unsupported., badRequest`
    : `googleapi: Error 400: No valid versions with the prefix "${asked}" found., badRequest`;
}

/**
 * A cluster is made with a pool of its own, which `removeDefaultNodePool` takes away afterwards: its nodes need an
 * account, and have to be what the organisation allows. hashicorp/terraform-provider-google issues 4435 and 17511.
 */
function defaultPoolRefusal(inputs: CloudRecord["inputs"], { account }: CloudView): string | undefined {
  if (inputs["enableAutopilot"] === true || inputs["initialNodeCount"] === undefined) return undefined;
  const config = part(inputs, "nodeConfig");
  if (account.defaultServiceAccountDisabled === true && config["serviceAccount"] === undefined) {
    return 'googleapi: Error 400: Service account "123456789012-compute@developer.gserviceaccount.com" is disabled., badRequest';
  }
  return account.shieldedVmRequired === true &&
    part(config, "shieldedInstanceConfig")["enableSecureBoot"] !== true
    ? "Error waiting for creating GKE cluster: Constraint constraints/compute.requireShieldedVm violated for the nodes of default-pool: Secure Boot is not enabled in the 'shielded_instance_config' field."
    : undefined;
}

export function hasDefaultPool({ inputs }: CloudRecord): boolean {
  return inputs["removeDefaultNodePool"] !== true && inputs["enableAutopilot"] !== true;
}

function defaultPool(record: CloudRecord, cloud: CloudView): NodeGroup | undefined {
  if (!hasDefaultPool(record) || record.inputs["initialNodeCount"] === undefined) return undefined;
  const location = locationOf(record.inputs, cloud);
  const asked = record.inputs["nodeLocations"];
  const listed = isPropertyList(asked) ? asked.map(textOf) : [];
  const zones = isZone(location) ? [location, ...listed] : listed.length > 0 ? listed : zonesOf(location);
  const machineType = textOf(part(record.inputs, "nodeConfig")["machineType"]) || defaultMachineType;
  const machine = findMachine(machineType, 0);
  if (machine === undefined) return undefined;
  return {
    machine,
    count: Number(record.inputs["initialNodeCount"]) * zones.length,
    zones,
    region: regionOfPlace(location),
    nodeName: (index) =>
      `gke-${textOf(record.inputs["name"])}-default-pool-${record.serial.toString(16)}-${index}`,
    labels: {
      "cloud.google.com/gke-nodepool": "default-pool",
      "node.kubernetes.io/instance-type": machineType,
    },
    taints: [],
    devices: [],
  };
}
