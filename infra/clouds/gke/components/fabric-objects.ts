// How pods come by the further interfaces of their node: for each network a Network, which pods name, and the parameters
// that say which VPC it is. Source: docs.cloud.google.com/kubernetes-engine/docs/how-to/gpu-bandwidth-gpudirect-tcpx.
import { ComponentResource } from "@pulumi/pulumi";
import type { Input } from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type { CustomResourceArgs } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ownOptions, transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

const group = "networking.gke.io";
const apiVersion = `${group}/v1`;

export interface GkeFabricObjectsArgs {
  readonly networks: readonly {
    readonly name: string;
    readonly network: Input<string>;
    readonly subnetwork: Input<string>;
  }[];
  /** Each is applied to the objects of all networks. */
  readonly transform?: {
    readonly parameters?: Transform<CustomResourceArgs>;
    readonly network?: Transform<CustomResourceArgs>;
  };
}

/** The kinds are GKE's own: the cluster has them where several networks are enabled. */
export class GkeFabricObjects extends ComponentResource {
  readonly networks: readonly CustomResource[];

  constructor(name: string, args: GkeFabricObjectsArgs, options: ComponentOptions) {
    super("llama-operator:gke:FabricObjects", name, {}, options);
    this.networks = args.networks.map((each) => this.#network(name, each, args, options));
    this.registerOutputs({ networks: this.networks.map(({ metadata }) => metadata.name) });
  }

  #network(
    name: string,
    { name: there, network, subnetwork }: GkeFabricObjectsArgs["networks"][number],
    { transform }: GkeFabricObjectsArgs,
    options: ComponentOptions,
  ): CustomResource {
    const own = ownOptions(this, options);
    const metadata = { name: there };
    const parameters = transformed<CustomResourceArgs>(transform?.parameters, {
      args: {
        apiVersion,
        kind: "GKENetworkParamSet",
        metadata,
        spec: { vpc: network, vpcSubnet: subnetwork, deviceMode: "NetDevice" },
      },
      options: own,
    });
    const set = new CustomResource(`${name}-${there}-parameters`, parameters.args, parameters.options);
    const object = transformed<CustomResourceArgs>(transform?.network, {
      args: {
        apiVersion,
        kind: "Network",
        metadata,
        spec: { type: "Device", parametersRef: { group, kind: "GKENetworkParamSet", name: there } },
      },
      options: { ...own, dependsOn: [set] },
    });
    return new CustomResource(`${name}-${there}`, object.args, object.options);
  }
}
