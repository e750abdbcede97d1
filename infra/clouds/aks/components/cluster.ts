// An AKS cluster with what must be there before a GPU is paid for: its resource group, network, identity, and the pool
// that the operator and the add-ons run on, which AKS wants inside the cluster's own resource.
import { createHash } from "node:crypto";
import { ComponentResource, output } from "@pulumi/pulumi";
import type { Input, Output } from "@pulumi/pulumi";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import type { RoleAssignmentArgs } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { ManagedCluster } from "@pulumi/azure-native/containerservice/managedCluster.js";
import type { ManagedClusterArgs } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import type { UserAssignedIdentityArgs } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { getUserAssignedIdentityOutput } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import type { ResourceGroupArgs } from "@pulumi/azure-native/resources/resourceGroup.js";
import type { AksCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { managedClusterFacts } from "./managed-cluster.ts";
import { AksNetwork } from "./network.ts";
import type { AksNetworkArgs } from "./network.ts";

export interface AksControlPlaneArgs {
  /** Everything of the stack's configuration under `cluster`. */
  readonly cluster: AksCluster;
  /** Refuse to destroy or replace the cluster, whatever its configuration says: a pool in it is protected. */
  readonly protect?: boolean;
  readonly transform?: NonNullable<AksNetworkArgs["transform"]> & {
    readonly resourceGroup?: Transform<ResourceGroupArgs>;
    /** The identity that is made where the configuration names none. */
    readonly identity?: Transform<UserAssignedIdentityArgs>;
    readonly networkRole?: Transform<RoleAssignmentArgs>;
    /** The cluster, with the system pool in it. */
    readonly managedCluster?: Transform<ManagedClusterArgs>;
  };
}

/** Azure's built-in role Network Contributor. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles. */
const networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7";

/** AKS itself makes or upgrades a cluster and its system pool within this; GPU pools have their own limits. */
const clusterMinutes = 60;

interface Identity {
  readonly id: Input<string>;
  readonly principalId: Output<string>;
}

/** Control plane, network and system pool. GPU pools depend on the whole of it. */
export class AksControlPlane extends ComponentResource {
  readonly resourceGroup: ResourceGroup;
  readonly network: AksNetwork;
  readonly managedCluster: ManagedCluster;
  readonly subnetId: Output<string>;

  readonly #args: AksControlPlaneArgs;
  readonly #own: { readonly parent: AksControlPlane; readonly provider: ComponentOptions["provider"] };

  constructor(name: string, args: AksControlPlaneArgs, options: ComponentOptions) {
    super("llama-operator:aks:ControlPlane", name, {}, options);
    this.#args = args;
    this.#own = { parent: this, provider: options.provider };
    const { cluster, transform } = args;
    const group = transformed<ResourceGroupArgs>(transform?.resourceGroup, {
      args: { resourceGroupName: cluster.resourceGroup, location: cluster.location, tags: cluster.tags },
      options: this.#own,
    });
    this.resourceGroup = new ResourceGroup(name, group.args, group.options);
    this.network = new AksNetwork(
      name,
      {
        cluster,
        resourceGroupName: this.resourceGroup.name,
        ...(transform === undefined ? {} : { transform }),
      },
      this.#own,
    );
    this.subnetId = this.network.subnetId;
    const identity = this.#identity(name);
    this.managedCluster = this.#managedCluster(name, identity, this.#networkRole(name, identity));
    this.registerOutputs({ subnetId: this.subnetId });
  }

  /** The person's own, or one that goes with the cluster. */
  #identity(name: string): Identity {
    const { cluster, transform } = this.#args;
    if (cluster.identity !== undefined) {
      const { resourceGroup, name: resourceName } = partsOf(cluster.identity);
      const found = getUserAssignedIdentityOutput(
        { resourceGroupName: resourceGroup, resourceName },
        { parent: this, provider: this.#own.provider },
      );
      return { id: cluster.identity, principalId: found.principalId };
    }
    const { args, options } = transformed<UserAssignedIdentityArgs>(transform?.identity, {
      args: {
        resourceGroupName: this.resourceGroup.name,
        resourceName: cluster.name,
        location: cluster.location,
        tags: cluster.tags,
      },
      options: this.#own,
    });
    return new UserAssignedIdentity(name, args, options);
  }

  /** AKS joins nodes and load balancers to a subnet that it did not make itself. */
  #networkRole(name: string, { principalId }: Identity): RoleAssignment {
    const { cluster, transform } = this.#args;
    const { args, options } = transformed<RoleAssignmentArgs>(transform?.networkRole, {
      args: {
        roleAssignmentName: fixedUuid(
          `${cluster.subscription}/${cluster.resourceGroup}/${cluster.name}/network`,
        ),
        scope: this.network.virtualNetworkId,
        principalId,
        // Said, because an identity that is a moment old is not in the directory yet.
        principalType: "ServicePrincipal",
        roleDefinitionId: `/subscriptions/${cluster.subscription}/providers/Microsoft.Authorization/roleDefinitions/${networkContributor}`,
      },
      options: this.#own,
    });
    return new RoleAssignment(`${name}-network`, args, options);
  }

  #managedCluster(name: string, { id }: Identity, networkRole: RoleAssignment): ManagedCluster {
    const { cluster, transform } = this.#args;
    const { args, options } = transformed<ManagedClusterArgs>(transform?.managedCluster, {
      args: managedClusterFacts(cluster, {
        resourceGroupName: this.resourceGroup.name,
        identityId: output(id),
        subnetId: this.subnetId,
      }),
      options: {
        ...this.#own,
        protect: cluster.protect || this.#args.protect === true,
        // Its name is fixed, and taken until the old one is gone.
        deleteBeforeReplace: true,
        dependsOn: [networkRole],
        // The autoscaler owns the size of the system pool.
        ignoreChanges: ["agentPoolProfiles[0].count"],
        customTimeouts: {
          create: `${clusterMinutes}m`,
          update: `${clusterMinutes}m`,
          delete: `${clusterMinutes}m`,
        },
      },
    });
    return new ManagedCluster(name, args, options);
  }
}

/** Resource group and name in the id of a resource. */
function partsOf(id: string): { readonly resourceGroup: string; readonly name: string } {
  const parts = id.split("/");
  return { resourceGroup: parts[4] ?? "", name: parts.at(-1) ?? "" };
}

/** Azure wants a UUID as the name of an assignment; a fixed one makes a second attempt find the first. */
function fixedUuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
