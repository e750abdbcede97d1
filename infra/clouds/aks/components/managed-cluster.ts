// What the cluster itself is told: no local accounts, nothing that moves nodes on its own, and the system pool.
import type { Input } from "@pulumi/pulumi";
import type { ManagedClusterArgs } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { dnsServiceAddress } from "../config/address-ranges.ts";
import { systemPoolName } from "../config/checks.ts";
import type { AksCluster } from "../config/cluster.ts";

/** What the same program makes for the cluster. */
export interface AksClusterParts {
  readonly resourceGroupName: Input<string>;
  readonly identityId: Input<string>;
  readonly subnetId: Input<string>;
}

export function managedClusterFacts(cluster: AksCluster, parts: AksClusterParts): ManagedClusterArgs {
  const { network, api, systemPool } = cluster;
  return {
    resourceGroupName: parts.resourceGroupName,
    resourceName: cluster.name,
    location: cluster.location,
    dnsPrefix: cluster.name.replaceAll("_", "-"),
    kubernetesVersion: cluster.kubernetesVersion,
    // With an availability agreement for the API server.
    sku: { name: "Base", tier: "Standard" },
    identity: { type: "UserAssigned", userAssignedIdentities: [parts.identityId] },
    enableRBAC: true,
    disableLocalAccounts: true,
    aadProfile: {
      managed: true,
      enableAzureRBAC: false,
      adminGroupObjectIDs: [...cluster.administrators],
      ...(cluster.tenant === undefined ? {} : { tenantID: cluster.tenant }),
    },
    apiServerAccessProfile:
      api.access === "private"
        ? { enablePrivateCluster: true }
        : { enablePrivateCluster: false, authorizedIPRanges: [...api.authorizedRanges] },
    networkProfile: {
      networkPlugin: "azure",
      networkPluginMode: "overlay",
      podCidr: network.pods,
      serviceCidr: network.services,
      dnsServiceIP: dnsServiceAddress(network.services),
      loadBalancerSku: "standard",
      outboundType: "loadBalancer",
    },
    // Pods get at weights in a storage account by their own identity, without a secret.
    oidcIssuerProfile: { enabled: true },
    securityProfile: { workloadIdentity: { enabled: true } },
    // AKS' default makes nodes anew, pool by pool, when it has a new image: a node of GPUs is emptied only when told to.
    autoUpgradeProfile: { upgradeChannel: "none", nodeOSUpgradeChannel: "None" },
    agentPoolProfiles: [
      {
        name: systemPoolName,
        mode: "System",
        type: "VirtualMachineScaleSets",
        vmSize: systemPool.machine,
        osType: "Linux",
        osSKU: "Ubuntu",
        orchestratorVersion: cluster.kubernetesVersion,
        enableAutoScaling: true,
        count: systemPool.nodes.min,
        minCount: systemPool.nodes.min,
        maxCount: systemPool.nodes.max,
        ...(systemPool.zones === undefined ? {} : { availabilityZones: [...systemPool.zones] }),
        vnetSubnetID: parts.subnetId,
      },
    ],
    tags: cluster.tags,
  };
}
