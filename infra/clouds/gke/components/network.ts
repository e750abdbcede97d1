// The network of a GKE cluster: a VPC of its own, one subnetwork for nodes, pods and Services, and a way out for nodes
// that have no public address.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Network } from "@pulumi/gcp/compute/network.js";
import type { NetworkArgs } from "@pulumi/gcp/compute/network.js";
import { Router } from "@pulumi/gcp/compute/router.js";
import type { RouterArgs } from "@pulumi/gcp/compute/router.js";
import { RouterNat } from "@pulumi/gcp/compute/routerNat.js";
import type { RouterNatArgs } from "@pulumi/gcp/compute/routerNat.js";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork.js";
import type { SubnetworkArgs } from "@pulumi/gcp/compute/subnetwork.js";
import type { GkeCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

/** Names of the subnetwork's further ranges, which the cluster refers to. */
export const podRange = "pods";
export const serviceRange = "services";

export interface GkeNetworkArgs {
  /** Project, region, name and address ranges, as the stack's configuration has them. */
  readonly cluster: Pick<GkeCluster, "project" | "region" | "name" | "network">;
  readonly transform?: {
    readonly network?: Transform<NetworkArgs>;
    readonly subnetwork?: Transform<SubnetworkArgs>;
    readonly router?: Transform<RouterArgs>;
    readonly nat?: Transform<RouterNatArgs>;
  };
}

export class GkeNetwork extends ComponentResource {
  readonly network: Network;
  readonly subnetwork: Subnetwork;
  /** Without it a private node cannot pull an image: the cluster's nodes depend on it. */
  readonly nat: RouterNat;
  readonly networkId: Output<string>;
  readonly subnetworkId: Output<string>;

  constructor(name: string, args: GkeNetworkArgs, options: ComponentOptions) {
    super("llama-operator:gke:Network", name, {}, options);
    const { cluster, transform } = args;
    const { project, region } = cluster;
    const own = { parent: this, provider: options.provider };
    const network = transformed<NetworkArgs>(transform?.network, {
      args: { project, name: cluster.name, autoCreateSubnetworks: false },
      options: own,
    });
    this.network = new Network(name, network.args, network.options);
    const subnetwork = transformed<SubnetworkArgs>(transform?.subnetwork, {
      args: {
        project,
        region,
        name: cluster.name,
        network: this.network.id,
        ipCidrRange: cluster.network.nodes,
        secondaryIpRanges: [
          { rangeName: podRange, ipCidrRange: cluster.network.pods },
          { rangeName: serviceRange, ipCidrRange: cluster.network.services },
        ],
        // Nodes without a public address reach Google's registries and storage by it.
        privateIpGoogleAccess: true,
      },
      options: own,
    });
    this.subnetwork = new Subnetwork(name, subnetwork.args, subnetwork.options);
    const router = transformed<RouterArgs>(transform?.router, {
      args: { project, region, name: cluster.name, network: this.network.id },
      options: own,
    });
    const routing = new Router(name, router.args, router.options);
    const nat = transformed<RouterNatArgs>(transform?.nat, {
      args: {
        project,
        region,
        name: cluster.name,
        router: routing.name,
        natIpAllocateOption: "AUTO_ONLY",
        sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
      },
      options: own,
    });
    this.nat = new RouterNat(name, nat.args, nat.options);
    this.networkId = this.network.id;
    this.subnetworkId = this.subnetwork.id;
    this.registerOutputs({ networkId: this.networkId, subnetworkId: this.subnetworkId });
  }
}
