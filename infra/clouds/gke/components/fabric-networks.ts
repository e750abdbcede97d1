// The further networks of machines whose GPUs speak to other nodes by interfaces of their own: A3 High has four, A3 Mega
// eight. All pools of a cluster share them.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Firewall } from "@pulumi/gcp/compute/firewall.js";
import type { FirewallArgs } from "@pulumi/gcp/compute/firewall.js";
import { Network } from "@pulumi/gcp/compute/network.js";
import type { NetworkArgs } from "@pulumi/gcp/compute/network.js";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork.js";
import type { SubnetworkArgs } from "@pulumi/gcp/compute/subnetwork.js";
import type { GkeCluster } from "../config/cluster.ts";
import { fabricAddresses } from "../config/network-ranges.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

/** Largest packet of GPUDirect-TCPX and TCPXO. Source: GoogleCloudPlatform/cluster-toolkit, examples/gke-a3-highgpu. */
const mtuBytes = 8244;

/** Name of the n-th network and of what belongs to it. */
export const fabricName = ({ name }: Pick<GkeCluster, "name">, index: number): string =>
  `${name}-gpu-${index}`;

/** A network that nodes have an interface in. */
export interface FabricNetwork {
  /** Name in the cluster: of its Network and GKENetworkParamSet. */
  readonly name: string;
  readonly network: Output<string>;
  readonly subnetwork: Output<string>;
  /** Lets the nodes' GPUs speak to each other. */
  readonly firewall: Firewall;
}

export interface GkeFabricNetworksArgs {
  readonly cluster: Pick<GkeCluster, "project" | "region" | "name">;
  /** How many there are: as many as the machine with the most interfaces has. */
  readonly count: number;
  /** Each is applied to the resources of all networks. */
  readonly transform?: {
    readonly network?: Transform<NetworkArgs>;
    readonly subnetwork?: Transform<SubnetworkArgs>;
    readonly firewall?: Transform<FirewallArgs>;
  };
}

export class GkeFabricNetworks extends ComponentResource {
  readonly networks: readonly FabricNetwork[];

  constructor(name: string, args: GkeFabricNetworksArgs, options: ComponentOptions) {
    super("llama-operator:gke:FabricNetworks", name, {}, options);
    this.networks = Array.from({ length: args.count }, (_, index) =>
      this.#network(`${name}-${index}`, index, args, options),
    );
    this.registerOutputs({ count: args.count });
  }

  #network(
    name: string,
    index: number,
    { cluster, transform }: GkeFabricNetworksArgs,
    { provider }: ComponentOptions,
  ): FabricNetwork {
    const { project, region } = cluster;
    const own = { parent: this, provider };
    const there = fabricName(cluster, index);
    const network = transformed<NetworkArgs>(transform?.network, {
      args: { project, name: there, autoCreateSubnetworks: false, mtu: mtuBytes },
      options: own,
    });
    const made = new Network(name, network.args, network.options);
    const subnetwork = transformed<SubnetworkArgs>(transform?.subnetwork, {
      args: { project, region, name: there, network: made.id, ipCidrRange: fabricAddresses(index) },
      options: own,
    });
    const within = new Subnetwork(name, subnetwork.args, subnetwork.options);
    const firewall = transformed<FirewallArgs>(transform?.firewall, {
      args: {
        project,
        name: there,
        network: made.id,
        description: "The GPUs of the nodes speak to each other",
        sourceRanges: [fabricAddresses(index)],
        allows: [{ protocol: "tcp" }, { protocol: "udp" }, { protocol: "icmp" }],
      },
      options: own,
    });
    return {
      name: `gpu-${index}`,
      network: made.name,
      subnetwork: within.name,
      firewall: new Firewall(name, firewall.args, firewall.options),
    };
  }
}
