// A pool of GPU nodes on EKS: a managed node group with a launch template of its own, which says what EKS cannot: the
// machine, its network cards, where its capacity comes from, and what its disks become.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Schedule } from "@pulumi/aws/autoscaling/schedule.js";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import type { LaunchTemplateArgs } from "@pulumi/aws/ec2/launchTemplate.js";
import { PlacementGroup } from "@pulumi/aws/ec2/placementGroup.js";
import type { PlacementGroupArgs } from "@pulumi/aws/ec2/placementGroup.js";
import type { Cluster } from "@pulumi/aws/eks/cluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import type { NodeGroupArgs } from "@pulumi/aws/eks/nodeGroup.js";
import { isProtected } from "../../../config/capacity.ts";
import type { EksCluster } from "../config/cluster.ts";
import { efaDevices, placementOf } from "../config/pool.ts";
import type { EksPool } from "../config/pool.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { asScheduled, emptiedAt } from "./block-times.ts";
import { launchTemplateFacts, nodeGroupFacts, placementGroupName } from "./gpu-node-group.ts";

export interface EksGpuNodePoolArgs {
  readonly pool: EksPool;
  /** Name, tags and autoscaler of the cluster. */
  readonly cluster: EksCluster;
  /** The cluster itself: the pool is made anew with it. */
  readonly clusterResource: Cluster;
  readonly nodeRoleArn: Output<string>;
  /** EKS' own group of the cluster: a launch template that names groups must name it too. */
  readonly clusterSecurityGroupId: Output<string>;
  /** Group that lets EFA through; interfaces have it where the pool has EFA. */
  readonly efaSecurityGroupId: Output<string>;
  /** Private subnets of the pool's zones. */
  readonly subnetIds: readonly Output<string>[];
  /** A capacity block's pool has nodes only while the block lasts. */
  readonly now: Date;
  readonly transform?: {
    readonly launchTemplate?: Transform<LaunchTemplateArgs>;
    readonly placementGroup?: Transform<PlacementGroupArgs>;
    readonly nodeGroup?: Transform<NodeGroupArgs>;
  };
}

/**
 * The provider's own limit for a node group, which is longer than the 40 minutes that a stock-out is tried for. An
 * update adds, for each node, the 15 minutes that EKS waits for its pods to leave.
 * Sources: hashicorp/terraform-provider-aws, internal/service/eks/node_group.go (Timeouts); eks/latest/userguide/
 * managed-node-update-behavior.html, Upgrade phase.
 */
const baseMinutes = 60;
const drainMinutes = 15;

/** A managed node group of GPU machines; protected where its capacity was bought or the pool says so. */
export class EksGpuNodePool extends ComponentResource {
  readonly launchTemplate: LaunchTemplate;
  readonly nodeGroup: NodeGroup;
  readonly nodeGroupName: Output<string>;
  /** What empties a capacity block's pool before the block ends. */
  readonly blockEnds: Schedule | undefined;

  readonly #args: EksGpuNodePoolArgs;
  readonly #own: { readonly parent: EksGpuNodePool; readonly provider: ComponentOptions["provider"] };

  constructor(name: string, args: EksGpuNodePoolArgs, options: ComponentOptions) {
    super("llama-operator:eks:GpuNodePool", name, {}, options);
    this.#args = args;
    this.#own = { parent: this, provider: options.provider };
    this.launchTemplate = this.#launchTemplate(name, this.#placementGroup(name));
    this.nodeGroup = this.#nodeGroup(name);
    this.nodeGroupName = this.nodeGroup.nodeGroupName;
    this.blockEnds = this.#emptyBeforeTheBlockEnds(name);
    this.registerOutputs({ nodeGroupName: this.nodeGroupName });
  }

  #placementGroup(name: string): PlacementGroup | undefined {
    const { pool, cluster, transform } = this.#args;
    if (placementOf(pool) !== "create") return undefined;
    const { args, options } = transformed<PlacementGroupArgs>(transform?.placementGroup, {
      args: { name: placementGroupName(cluster, pool), strategy: "cluster", tags: cluster.tags },
      options: this.#own,
    });
    return new PlacementGroup(name, args, options);
  }

  #launchTemplate(name: string, group: PlacementGroup | undefined): LaunchTemplate {
    const { pool, cluster, clusterSecurityGroupId, efaSecurityGroupId, transform } = this.#args;
    const securityGroups = [clusterSecurityGroupId, ...(efaDevices(pool) > 0 ? [efaSecurityGroupId] : [])];
    const tags = { ...cluster.tags, Name: `${cluster.name}-${pool.name}` };
    const { args, options } = transformed<LaunchTemplateArgs>(transform?.launchTemplate, {
      args: {
        name: `${cluster.name}-${pool.name}`,
        ...launchTemplateFacts(cluster, pool, securityGroups),
        ...(group === undefined ? {} : { placement: { groupName: group.name } }),
        tagSpecifications: [
          { resourceType: "instance", tags },
          { resourceType: "volume", tags },
        ],
        tags: cluster.tags,
      },
      options: {
        ...this.#own,
        // Another tag of instances is a new version of the template, by which EKS ends every node. The template and the
        // group have the new ones; nodes keep those that they were made with.
        // Source: hashicorp/terraform-provider-aws:internal/service/ec2/ec2_launch_template.go, updateKeys.
        ignoreChanges: ["tagSpecifications"],
      },
    });
    return new LaunchTemplate(name, args, options);
  }

  #nodeGroup(name: string): NodeGroup {
    const { pool, cluster, clusterResource, nodeRoleArn, subnetIds, now, transform } = this.#args;
    const { nodes, capacity } = pool;
    const autoscaled =
      cluster.autoscaler !== "none" && nodes.max > nodes.min && capacity.kind !== "capacityBlock";
    const updateMinutes = baseMinutes + drainMinutes * nodes.max;
    const { args, options } = transformed<NodeGroupArgs>(transform?.nodeGroup, {
      args: {
        ...nodeGroupFacts(cluster, pool, now),
        clusterName: clusterResource.name,
        nodeRoleArn,
        subnetIds: [...subnetIds],
        launchTemplate: {
          id: this.launchTemplate.id,
          version: this.launchTemplate.latestVersion.apply(String),
        },
      },
      options: {
        ...this.#own,
        protect: isProtected(pool),
        // EKS deletes no cluster that has node groups, so that they go first, and not with it.
        replaceWith: [clusterResource],
        // No capacity holds the old nodes and the new ones, and the name is taken until the old group is gone.
        deleteBeforeReplace: true,
        ...(autoscaled ? { ignoreChanges: ["scalingConfig.desiredSize"] } : {}),
        customTimeouts: {
          create: `${baseMinutes}m`,
          update: `${updateMinutes}m`,
          delete: `${baseMinutes}m`,
        },
      },
    });
    return new NodeGroup(name, args, options);
  }

  /** AWS' own advice for blocks: pods then end in order. A time that has passed EC2 would refuse. */
  #emptyBeforeTheBlockEnds(name: string): Schedule | undefined {
    const { capacity } = this.#args.pool;
    if (capacity.kind !== "capacityBlock" || this.#args.now >= emptiedAt(capacity)) return undefined;
    const group = this.nodeGroup.resources.apply(
      ([resources]) => resources?.autoscalingGroups?.[0]?.name ?? "",
    );
    return new Schedule(
      `${name}-block-ends`,
      {
        autoscalingGroupName: group,
        scheduledActionName: "empty-before-the-block-ends",
        startTime: asScheduled(emptiedAt(capacity)),
        minSize: 0,
        maxSize: -1,
        desiredCapacity: 0,
      },
      this.#own,
    );
  }
}
