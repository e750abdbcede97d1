// The network of an AKS cluster: one virtual network with one subnet for all nodes. Pods live in an overlay of their own,
// so that the subnet needs one address a node.
import { ComponentResource } from "@pulumi/pulumi";
import type { Input, Output } from "@pulumi/pulumi";
import { Subnet } from "@pulumi/azure-native/network/subnet.js";
import type { SubnetArgs } from "@pulumi/azure-native/network/subnet.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import type { VirtualNetworkArgs } from "@pulumi/azure-native/network/virtualNetwork.js";
import type { AksCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

export interface AksNetworkArgs {
  /** The cluster, as the stack's configuration has it. */
  readonly cluster: AksCluster;
  /** Name of the resource group that it is made in. */
  readonly resourceGroupName: Input<string>;
  readonly transform?: {
    readonly virtualNetwork?: Transform<VirtualNetworkArgs>;
    readonly subnet?: Transform<SubnetArgs>;
  };
}

/** Virtual network and subnet of a cluster's nodes. */
export class AksNetwork extends ComponentResource {
  readonly virtualNetwork: VirtualNetwork;
  readonly subnet: Subnet;
  readonly virtualNetworkId: Output<string>;
  readonly subnetId: Output<string>;

  constructor(
    name: string,
    { cluster, resourceGroupName, transform }: AksNetworkArgs,
    options: ComponentOptions,
  ) {
    super("llama-operator:aks:Network", name, {}, options);
    const own = { parent: this, provider: options.provider };
    const { name: clusterName, network, location, tags } = cluster;
    const virtualNetwork = transformed<VirtualNetworkArgs>(transform?.virtualNetwork, {
      args: {
        resourceGroupName,
        virtualNetworkName: clusterName,
        location,
        addressSpace: { addressPrefixes: [network.addresses] },
        tags,
      },
      options: own,
    });
    this.virtualNetwork = new VirtualNetwork(name, virtualNetwork.args, virtualNetwork.options);
    const subnet = transformed<SubnetArgs>(transform?.subnet, {
      args: {
        resourceGroupName,
        virtualNetworkName: this.virtualNetwork.name,
        subnetName: "nodes",
        addressPrefix: network.nodes,
      },
      options: own,
    });
    this.subnet = new Subnet(`${name}-nodes`, subnet.args, subnet.options);
    this.virtualNetworkId = this.virtualNetwork.id;
    this.subnetId = this.subnet.id;
    this.registerOutputs({ subnetId: this.subnetId });
  }
}
