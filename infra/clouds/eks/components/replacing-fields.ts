// What of a GPU pool EKS changes only by making the node group anew. Taints, labels and size are not among them: EKS
// changes those in place.
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
  {
    field: "launchTemplate.instanceType",
    reason: "another machine in the launch template ends every node of the group",
    source: "docs.aws.amazon.com/eks/latest/userguide/launch-templates.html",
  },
];
