// What GKE is asked of a cluster, from the stack's configuration. Pure.
import type { ClusterArgs } from "@pulumi/gcp/container/cluster.js";
import type { Input } from "@pulumi/pulumi";
import type { GkeCluster } from "../config/cluster.ts";
import { podRange, serviceRange } from "./network.ts";
import { commonNodeConfig } from "./node-config.ts";

export interface ClusterPlace {
  readonly networkId: Input<string>;
  readonly subnetworkId: Input<string>;
  /** Whether some pool has interfaces in several networks. */
  readonly multiNetwork: boolean;
  /** Email of the nodes' service account. */
  readonly serviceAccount: Input<string>;
}

export function clusterArgs(
  cluster: GkeCluster,
  { networkId, subnetworkId, multiNetwork, serviceAccount }: ClusterPlace,
): ClusterArgs {
  const { project, region, name, releaseChannel, version, authorizedNetworks, maintenance } = cluster;
  return {
    project,
    location: region,
    name,
    network: networkId,
    subnetwork: subnetworkId,
    networkingMode: "VPC_NATIVE",
    ipAllocationPolicy: { clusterSecondaryRangeName: podRange, servicesSecondaryRangeName: serviceRange },
    // Dataplane V2: several networks and DRANET need it.
    datapathProvider: "ADVANCED_DATAPATH",
    enableMultiNetworking: multiNetwork,
    privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: false },
    masterAuthorizedNetworksConfig: {
      cidrBlocks: authorizedNetworks.map(({ name: displayName, cidr: cidrBlock }) => ({
        displayName,
        cidrBlock,
      })),
    },
    workloadIdentityConfig: { workloadPool: `${project}.svc.id.goog` },
    releaseChannel: { channel: releaseChannel },
    ...(version === undefined ? {} : { minMasterVersion: version }),
    ...(maintenance === undefined
      ? {}
      : {
          maintenancePolicy: {
            recurringWindow: {
              startTime: maintenance.start,
              endTime: maintenance.end,
              recurrence: maintenance.recurrence,
            },
          },
        }),
    // Pools are resources of their own: one that is inside the cluster's would replace the cluster with it.
    initialNodeCount: 1,
    removeDefaultNodePool: true,
    // GKE makes a cluster with a pool, which goes again at once: its nodes too need an account that may be used, since
    // many projects have none by default, and have to start as the organisation wants it.
    // hashicorp/terraform-provider-google issues 4435 and 17511; GoogleCloudPlatform/cluster-toolkit
    // modules/scheduler/gke-cluster/main.tf.
    nodeConfig: commonNodeConfig(serviceAccount),
    deletionProtection: cluster.deletionProtection,
  };
}
