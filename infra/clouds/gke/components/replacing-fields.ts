// What costs a GPU pool of GKE its nodes, or makes them anew in the pool. Labels and size are not among it: those change in
// place.
import { onlyMore } from "../../../guards/replacing-field.ts";
import type { ReplacingField } from "../../../guards/replacing-field.ts";
import { isWithin, parseIpv4Block } from "../../ipv4.ts";

/** ForceNew of the provider that @pulumi/gcp bridges. */
const pool = "hashicorp/terraform-provider-google:google/services/container/resource_container_node_pool.go";
const node = "hashicorp/terraform-provider-google:google/services/container/node_config.go";

/** Of `gcp.container.NodePool`. */
export const nodePoolReplacingFields: readonly ReplacingField[] = [
  { field: "project", reason: "a pool stays in its project", source: pool },
  { field: "location", reason: "a pool stays in its cluster's region", source: pool },
  { field: "cluster", reason: "a pool stays in its cluster", source: pool },
  {
    field: "initialNodeCount",
    reason: "the number of nodes that a pool begins with is fixed",
    source: "pulumi/pulumi-gcp issue 412",
  },
  {
    field: "nodeLocations",
    reason: "nodes of a zone that goes are deleted with their pods",
    source: "googleapis/googleapis:google/container/v1/cluster_service.proto, UpdateNodePoolRequest",
    harmless: onlyMore,
  },
  { field: "placementPolicy", reason: "where its nodes are placed is fixed", source: pool },
  { field: "queuedProvisioning", reason: "the capacity type of a pool is fixed", source: pool },
  {
    field: "networkConfig.acceleratorNetworkProfile",
    reason: "the networks of a pool are fixed",
    source: pool,
  },
  {
    field: "networkConfig.additionalNodeNetworkConfigs",
    reason: "the networks of a pool are fixed",
    source: pool,
  },
  {
    field: "nodeConfig.machineType",
    reason: "for another machine every node of the pool is made anew",
    source: "googleapis/googleapis:google/container/v1/cluster_service.proto, UpdateNodePoolRequest",
  },
  { field: "nodeConfig.guestAccelerators[].type", reason: "the GPUs of a pool are fixed", source: node },
  { field: "nodeConfig.guestAccelerators[].count", reason: "the GPUs of a pool are fixed", source: node },
  {
    field: "nodeConfig.guestAccelerators[].gpuDriverInstallationConfig",
    reason: "the driver of a pool's nodes is fixed",
    source: "hashicorp/terraform-provider-google issue 23248",
  },
  {
    field: "nodeConfig.ephemeralStorageLocalSsdConfig",
    reason: "the local disks of a pool's nodes are fixed",
    source: node,
  },
  { field: "nodeConfig.reservationAffinity", reason: "a pool stays with its reservation", source: node },
  { field: "nodeConfig.spot", reason: "the capacity type of a pool is fixed", source: node },
  { field: "nodeConfig.flexStart", reason: "the capacity type of a pool is fixed", source: node },
  { field: "nodeConfig.maxRunDuration", reason: "how long a pool's nodes may live is fixed", source: node },
];

const cluster = "hashicorp/terraform-provider-google:google/services/container/resource_container_cluster.go";
const anew = "the cluster is made anew for it, and every pool with it";

/** Of `gcp.container.Cluster`. */
export const clusterReplacingFields: readonly ReplacingField[] = [
  { field: "project", reason: anew, source: cluster },
  { field: "location", reason: anew, source: cluster },
  { field: "name", reason: anew, source: cluster },
  { field: "network", reason: anew, source: cluster },
  { field: "subnetwork", reason: anew, source: cluster },
  { field: "networkingMode", reason: anew, source: cluster },
  { field: "ipAllocationPolicy", reason: anew, source: cluster },
  { field: "datapathProvider", reason: anew, source: cluster },
  { field: "initialNodeCount", reason: anew, source: cluster },
];

/** Of `gcp.compute.Subnetwork`. */
export const subnetworkReplacingFields: readonly ReplacingField[] = [
  {
    field: "ipCidrRange",
    reason:
      "a subnetwork only grows; for another range it is made anew, and with it the cluster and every pool",
    source: "hashicorp/terraform-provider-google:google/services/compute/resource_compute_subnetwork.go",
    harmless: (old, next) => isWithin(parseIpv4Block(String(old)), parseIpv4Block(String(next))),
  },
];

const migrates = "googleapis/googleapis:google/container/v1/cluster_service.proto, UpdateNodePoolRequest";

/** What makes the nodes of a pool anew, as the pool's upgrade settings say. */
export const nodePoolRollingFields: readonly ReplacingField[] = [
  {
    field: "nodeConfig.diskSizeGb",
    reason: "GKE moves the pool onto nodes with another disk",
    source: migrates,
  },
  { field: "nodeConfig.imageType", reason: "each node gets another image", source: migrates },
  { field: "nodeConfig.taints", reason: "GKE moves the pool onto nodes with other taints", source: migrates },
  {
    field: "nodeConfig.gvnic",
    reason: "GKE moves the pool onto nodes with another network card",
    source: migrates,
  },
  {
    field: "nodeConfig.workloadMetadataConfig",
    reason: "GKE moves the pool onto nodes with another metadata server",
    source: migrates,
  },
];
