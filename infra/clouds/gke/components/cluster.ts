// A GKE cluster without any pool: private nodes, Dataplane V2, workload identity.
import { ComponentResource, interpolate } from "@pulumi/pulumi";
import type { Input, Output } from "@pulumi/pulumi";
import { Cluster } from "@pulumi/gcp/container/cluster.js";
import type { ClusterArgs } from "@pulumi/gcp/container/cluster.js";
import type { GkeCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { clusterArgs } from "./cluster-args.ts";
import type { GkeNetwork } from "./network.ts";

export interface GkeControlPlaneArgs {
  /** The cluster, as the stack's configuration has it. */
  readonly cluster: GkeCluster;
  readonly network: Pick<GkeNetwork, "networkId" | "subnetworkId">;
  /** Whether some pool has interfaces in several networks. */
  readonly multiNetwork: boolean;
  /** Email of the nodes' service account. */
  readonly serviceAccount: Input<string>;
  /** Refuse to destroy or replace the cluster, whatever its configuration says: a pool in it is protected. */
  readonly protect?: boolean;
  readonly transform?: { readonly cluster?: Transform<ClusterArgs> };
}

export class GkeControlPlane extends ComponentResource {
  readonly cluster: Cluster;
  /** `projects/<project>/locations/<region>/clusters/<name>` */
  readonly clusterId: Output<string>;
  /** URL of the API server. */
  readonly server: Output<string>;
  /** Base64. */
  readonly certificateAuthority: Output<string>;

  constructor(name: string, args: GkeControlPlaneArgs, options: ComponentOptions) {
    super("llama-operator:gke:ControlPlane", name, {}, options);
    const { cluster, network, multiNetwork, serviceAccount, transform } = args;
    const registration = transformed<ClusterArgs>(transform?.cluster, {
      args: clusterArgs(cluster, { ...network, multiNetwork, serviceAccount }),
      options: {
        parent: this,
        provider: options.provider,
        // Google Cloud refuses as well; by this a destroy ends in its preview, before the first pool is gone.
        protect: cluster.deletionProtection || args.protect === true,
        // The names are fixed, so that one that was made before the engine died cannot be made twice.
        deleteBeforeReplace: true,
        // Of the pool that the cluster was made with, which is gone: another value would replace the cluster.
        ignoreChanges: ["nodeConfig"],
        customTimeouts: { create: "45m", update: "2h", delete: "45m" },
      },
    });
    this.cluster = new Cluster(name, registration.args, registration.options);
    this.clusterId = this.cluster.id;
    this.server = interpolate`https://${this.cluster.endpoint}`;
    this.certificateAuthority = this.cluster.masterAuth.clusterCaCertificate;
    this.registerOutputs({ clusterId: this.clusterId, server: this.server });
  }
}
