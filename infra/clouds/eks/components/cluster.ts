// An EKS cluster with what every one needs before a GPU is worth its price: roles, access, networking and the pool
// without GPUs that the operator and the add-ons run on.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output, Resource } from "@pulumi/pulumi";
import { AccessEntry } from "@pulumi/aws/eks/accessEntry.js";
import { AccessPolicyAssociation } from "@pulumi/aws/eks/accessPolicyAssociation.js";
import { Addon } from "@pulumi/aws/eks/addon.js";
import type { AddonArgs } from "@pulumi/aws/eks/addon.js";
import { Cluster } from "@pulumi/aws/eks/cluster.js";
import type { ClusterArgs } from "@pulumi/aws/eks/cluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import type { NodeGroupArgs } from "@pulumi/aws/eks/nodeGroup.js";
import type { EksCluster } from "../config/cluster.ts";
import { isSamePrincipal, principalNames } from "../config/principals.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import type { EksNetwork } from "./network.ts";
import { eksRole, partitionOf } from "./roles.ts";
import type { EksRole } from "./roles.ts";

export interface EksControlPlaneArgs {
  /** Everything of the stack's configuration under `cluster`. */
  readonly cluster: EksCluster;
  readonly network: EksNetwork;
  /**
   * ARN of who has made the cluster, or makes it now: EKS lets it in by an access entry of its own, and refuses a second
   * one. Undefined where nobody knows it any more; then every administrator gets an entry.
   */
  readonly creator: string | undefined;
  /** Refuse to destroy or replace the cluster, whatever its configuration says: a pool in it is protected. */
  readonly protect?: boolean;
  readonly transform?: {
    readonly cluster?: Transform<ClusterArgs>;
    /** Each add-on of EKS. */
    readonly addOn?: Transform<AddonArgs>;
    readonly systemPool?: Transform<NodeGroupArgs>;
  };
}

/** Tag of a cluster that says who has made it: EKS' own entry for that principal is nowhere told apart from others. */
export const creatorTag = "llama-operator.dev/creator";

/** Control plane, add-ons of EKS, and the system pool: what GPU pools depend on is `ready`. */
export class EksControlPlane extends ComponentResource {
  readonly cluster: Cluster;
  readonly systemPool: NodeGroup;
  /** What nodes and drivers need: not what volumes need, which keeps no GPU away where it fails. */
  readonly ready: readonly Resource[];
  /** Role of every node, GPU pools' too. */
  readonly nodeRoleArn: Output<string>;
  /** EKS' own security group: nodes and control plane talk through it. */
  readonly securityGroupId: Output<string>;
  readonly endpoint: Output<string>;
  readonly certificateAuthority: Output<string>;

  readonly #name: string;
  readonly #args: EksControlPlaneArgs;
  readonly #own: { readonly parent: EksControlPlane; readonly provider: ComponentOptions["provider"] };

  constructor(name: string, args: EksControlPlaneArgs, options: ComponentOptions) {
    super("llama-operator:eks:ControlPlane", name, {}, options);
    this.#name = name;
    this.#args = args;
    this.#own = { parent: this, provider: options.provider };
    const { cluster } = args;
    const clusterRole = eksRole("cluster", cluster, this.#own);
    const nodeRole = eksRole("node", cluster, this.#own);
    const podNetworkRole = eksRole("podNetwork", cluster, this.#own);
    const volumesRole = eksRole("volumes", cluster, this.#own);
    this.cluster = this.#controlPlane(name, clusterRole);
    // Nodes are Ready only with a network, so that these come before any node, and DNS, which needs a node, after.
    const beforeNodes = [
      this.#addOn("eks-pod-identity-agent", {}),
      this.#addOn("kube-proxy", {}),
      this.#addOn(
        "vpc-cni",
        {
          podIdentityAssociations: [{ serviceAccount: "aws-node", roleArn: podNetworkRole.role.arn }],
        },
        podNetworkRole.policies,
      ),
    ];
    this.systemPool = this.#systemPool(name, nodeRole, beforeNodes);
    const afterNodes = [
      this.#addOn("coredns", {}, [this.systemPool]),
      // What node auto-repair goes by where GPUs are concerned.
      this.#addOn("eks-node-monitoring-agent", {}, [this.systemPool]),
    ];
    // Without it no PersistentVolumeClaim is ever bound. Since 1.30 EKS marks no class as the default, so that the driver
    // makes one, of gp3. Sources: docs.aws.amazon.com/eks/latest/userguide/{ebs-csi,kubernetes-versions}.html;
    // n8n-io/terraform-aws-n8n issue 22.
    this.#addOn(
      "aws-ebs-csi-driver",
      {
        podIdentityAssociations: [{ serviceAccount: "ebs-csi-controller-sa", roleArn: volumesRole.role.arn }],
        configurationValues: JSON.stringify({ defaultStorageClass: { enabled: true } }),
      },
      [this.systemPool, ...volumesRole.policies],
    );
    this.ready = [this.cluster, ...beforeNodes, this.systemPool, ...afterNodes];
    this.nodeRoleArn = nodeRole.role.arn;
    this.securityGroupId = this.cluster.vpcConfig.apply(
      ({ clusterSecurityGroupId }) => clusterSecurityGroupId,
    );
    this.endpoint = this.cluster.endpoint;
    this.certificateAuthority = this.cluster.certificateAuthority.data;
    this.registerOutputs({ endpoint: this.endpoint });
  }

  /**
   * Lets the administrators in, each by an entry but who has made the cluster. It comes after what is bought: an entry
   * that EKS refuses ends the whole `up`, and who made the cluster is in it anyway.
   * See https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2969 and
   * https://github.com/pulumi/pulumi-eks/issues/2373 (409 ResourceInUseException).
   */
  letIn(after: readonly Resource[]): readonly AccessPolicyAssociation[] {
    const { cluster, creator } = this.#args;
    return [...principalNames(cluster.administrators)]
      .filter(([arn]) => creator === undefined || !isSamePrincipal(arn, creator))
      .map(([arn, own]) => this.#administrator(`${this.#name}-${own}`, arn, after));
  }

  #controlPlane(name: string, { role, policies }: EksRole): Cluster {
    const { cluster, network, creator, transform } = this.#args;
    const { endpoint, protect } = cluster;
    const { args, options } = transformed<ClusterArgs>(transform?.cluster, {
      args: {
        name: cluster.name,
        version: cluster.version,
        roleArn: role.arn,
        vpcConfig: {
          subnetIds: [...network.subnets.values()].map(({ id }) => id),
          endpointPrivateAccess: true,
          endpointPublicAccess: endpoint.access === "public",
          ...(endpoint.access === "public" ? { publicAccessCidrs: endpoint.cidrs } : {}),
        },
        // Who makes the cluster installs the drivers in it, and so has to be let in.
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
        bootstrapSelfManagedAddons: false,
        deletionProtection: protect,
        tags: { ...cluster.tags, ...(creator === undefined ? {} : { [creatorTag]: creator }) },
      },
      options: {
        ...this.#own,
        protect: protect || this.#args.protect === true,
        // Its name is fixed, and taken until the old one is gone.
        deleteBeforeReplace: true,
        // Without its policies the control plane cannot take its own network interfaces away again.
        dependsOn: [...policies],
        // Whoever runs `up` later has not made it.
        ignoreChanges: [`tags["${creatorTag}"]`],
      },
    });
    return new Cluster(name, args, options);
  }

  #administrator(id: string, arn: string, after: readonly Resource[]): AccessPolicyAssociation {
    const { cluster } = this.#args;
    const entry = new AccessEntry(
      id,
      { clusterName: this.cluster.name, principalArn: arn, tags: cluster.tags },
      { ...this.#own, dependsOn: [...after] },
    );
    return new AccessPolicyAssociation(
      id,
      {
        clusterName: this.cluster.name,
        principalArn: entry.principalArn,
        policyArn: `arn:${partitionOf(cluster.region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
        accessScope: { type: "cluster" },
      },
      this.#own,
    );
  }

  #addOn(addonName: string, more: Partial<AddonArgs>, dependsOn: readonly Resource[] = []): Addon {
    const { cluster, transform } = this.#args;
    const { args, options } = transformed<AddonArgs>(transform?.addOn, {
      args: {
        clusterName: this.cluster.name,
        addonName,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        tags: cluster.tags,
        ...more,
      },
      options: { ...this.#own, dependsOn: [...dependsOn] },
    });
    return new Addon(`${cluster.name}-${addonName}`, args, options);
  }

  #systemPool(name: string, { role, policies }: EksRole, addOns: readonly Addon[]): NodeGroup {
    const { cluster, network, transform } = this.#args;
    const { machineType, nodes } = cluster.systemPool;
    const { args, options } = transformed<NodeGroupArgs>(transform?.systemPool, {
      args: {
        clusterName: this.cluster.name,
        nodeGroupName: "system",
        nodeRoleArn: role.arn,
        subnetIds: [...network.subnets.values()].map(({ id }) => id),
        // These nodes follow the control plane; GPU pools do when their configuration says so.
        version: this.cluster.version,
        amiType: "AL2023_x86_64_STANDARD",
        instanceTypes: [machineType],
        scalingConfig: { minSize: nodes, maxSize: nodes, desiredSize: nodes },
        updateConfig: { maxUnavailable: 1 },
        nodeRepairConfig: { enabled: true },
        tags: cluster.tags,
      },
      options: { ...this.#own, dependsOn: [...policies, ...addOns], deleteBeforeReplace: true },
    });
    return new NodeGroup(`${name}-system`, args, options);
  }
}
