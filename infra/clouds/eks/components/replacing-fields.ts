// What costs a GPU pool of EKS its nodes, or makes them anew one by one. Taints, labels, tags and size are not among it:
// EKS changes those in place.
import type { ReplacingField } from "../../../guards/replacing-field.ts";

/** ForceNew of the provider that @pulumi/aws bridges. */
const provider = "hashicorp/terraform-provider-aws:internal/service/eks/node_group.go";

/** Of `aws.eks.NodeGroup`. */
export const nodeGroupReplacingFields: readonly ReplacingField[] = [
  {
    field: "amiType",
    reason: "the image, and with it the driver, of a node group is fixed",
    source: provider,
  },
  { field: "capacityType", reason: "the capacity type of a node group is fixed", source: provider },
  { field: "clusterName", reason: "a node group stays in its cluster", source: provider },
  { field: "nodeGroupName", reason: "the name of a node group is fixed", source: provider },
  {
    field: "diskSize",
    reason: "the disk of a node group is fixed; the launch template says it",
    source: provider,
  },
  { field: "instanceTypes", reason: "the machines of a node group are fixed", source: provider },
  { field: "nodeRoleArn", reason: "the role of a node group is fixed", source: provider },
  { field: "subnetIds", reason: "a node group stays in its zones", source: provider },
];

const update = "docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html";
const templates = "docs.aws.amazon.com/eks/latest/userguide/launch-templates.html";

/**
 * Of `aws.ec2.LaunchTemplate`. Neither the engine nor `protect` sees a replacement here: EKS keeps the group, ends its
 * nodes one by one, and looks for others where the new template says.
 */
export const launchTemplateReplacingFields: readonly ReplacingField[] = [
  {
    field: "instanceType",
    reason: "another machine in the launch template ends every node of the group",
    source: templates,
  },
  {
    field: "capacityReservationSpecification",
    reason: "every node ends, and the next ones do not come from the reservation that the old ones had",
    source: "docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-using.html",
  },
  {
    field: "instanceMarketOptions",
    reason: "every node ends, and the next ones are bought in another way",
    source: "docs.aws.amazon.com/eks/latest/userguide/capacity-blocks-mng.html",
  },
  {
    field: "placement",
    reason:
      "every node ends, and a reservation serves only machines of the placement group that it was made for",
    source: "docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-cpg.html",
  },
];

/** Of `aws.ec2.LaunchTemplate`: another version of it, which EKS rolls the group onto. */
export const launchTemplateRollingFields: readonly ReplacingField[] = [
  { field: "networkInterfaces", reason: "a node keeps its network cards", source: templates },
  { field: "blockDeviceMappings", reason: "a node keeps its disks", source: templates },
  { field: "metadataOptions", reason: "a node is made with them", source: templates },
  { field: "userData", reason: "a node reads it when it starts", source: templates },
];

/** Of `aws.eks.NodeGroup`. */
export const nodeGroupRollingFields: readonly ReplacingField[] = [
  { field: "version", reason: "nodes of another Kubernetes are other nodes", source: update },
  { field: "releaseVersion", reason: "each node gets another image", source: update },
];

/** Of `aws.ec2.Vpc` and `aws.ec2.Subnet`: a pool cannot follow them. */
export const networkReplacingFields: readonly ReplacingField[] = [
  {
    field: "cidrBlock",
    reason: "the network is made anew with all of its subnets, and a node group stays in its subnets",
    source: "hashicorp/terraform-provider-aws:internal/service/ec2/vpc_.go",
  },
  {
    field: "subnets",
    reason:
      "a zone's subnet is made anew where its place in cluster.network.zones changes, and a node group stays in its subnets",
    source: "hashicorp/terraform-provider-aws:internal/service/ec2/vpc_subnet.go",
  },
];

/** Of the provider itself. */
export const accountReplacingFields: readonly ReplacingField[] = [
  {
    field: "region",
    reason: "in another region everything is made anew",
    source: "pulumi/pulumi-aws:provider/resources.go",
  },
];
