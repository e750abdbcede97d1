// GKE clusters. ForceNew after hashicorp/terraform-provider-google google/services/container/
// resource_container_cluster.go; what the API refuses after the fields' documentation there.

import { findMachine } from "./machines.ts";
import { isPropertyList, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import type { NodeGroup } from "../node-group.ts";
import { isZone, lastPart, locationOf, part, projectOf, referred, regionOfPlace, types } from "./names.ts";
import { defaultVersion, zonesOf } from "./places.ts";

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
    "privateClusterConfig.masterIpv4CidrBlock",
    "confidentialNodes",
  ],
  refusal(inputs, cloud) {
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
    const version = versionOf(inputs["minMasterVersion"]);
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

/** A prefix such as `1.35` means the newest that the table knows. */
function versionOf(asked: CloudRecord["inputs"][string] | undefined): string {
  const text = textOf(asked);
  return text.includes("-gke.") ? text : defaultVersion;
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
