// The IAM roles of a cluster, each with AWS' own policies for its one task and no other: nodes may not change the
// network, because the plugin that does so has a role of its own.
import { Role } from "@pulumi/aws/iam/role.js";
import type { RoleArgs } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { transformed } from "../../../components/transform.ts";
import type { Transform } from "../../../components/transform.ts";

/**
 * Who may take a role, and the managed policies that it has.
 * Source: docs.aws.amazon.com/eks/latest/userguide/{cluster-iam-role,create-node-role,cni-iam-role,pod-id-role}.html.
 */
const roles = {
  cluster: {
    principal: "eks.amazonaws.com",
    actions: ["sts:AssumeRole"],
    policies: ["AmazonEKSClusterPolicy"],
  },
  node: {
    principal: "ec2.amazonaws.com",
    actions: ["sts:AssumeRole"],
    policies: ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
  },
  podNetwork: {
    principal: "pods.eks.amazonaws.com",
    actions: ["sts:AssumeRole", "sts:TagSession"],
    policies: ["AmazonEKS_CNI_Policy"],
  },
  // docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html.
  volumes: {
    principal: "pods.eks.amazonaws.com",
    actions: ["sts:AssumeRole", "sts:TagSession"],
    policies: ["service-role/AmazonEBSCSIDriverPolicy"],
  },
} as const;

export type EksRoleKind = keyof typeof roles;

export interface EksRole {
  readonly role: Role;
  /** What the role can do is there only with these: resources that use it depend on them. */
  readonly policies: readonly RolePolicyAttachment[];
}

/** The partition of AWS that a region lies in: ARNs begin with it. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** Makes a role `<cluster>-<kind>` with its policies. */
export function eksRole(
  kind: EksRoleKind,
  cluster: {
    readonly name: string;
    readonly region: string;
    readonly tags: Readonly<Record<string, string>>;
  },
  options: CustomResourceOptions,
  transform?: Transform<RoleArgs>,
): EksRole {
  const { principal, actions, policies } = roles[kind];
  const name = `${cluster.name}-${kind.toLowerCase()}`;
  const statement = { Effect: "Allow", Principal: { Service: principal }, Action: actions };
  const registration = transformed<RoleArgs>(transform, {
    args: {
      name,
      assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
      tags: cluster.tags,
    },
    options,
  });
  const role = new Role(name, registration.args, registration.options);
  return {
    role,
    policies: policies.map(
      (policy) =>
        new RolePolicyAttachment(
          `${name}-${policy.slice(policy.lastIndexOf("/") + 1)}`,
          { role: role.name, policyArn: `arn:${partitionOf(cluster.region)}:iam::aws:policy/${policy}` },
          options,
        ),
    ),
  };
}
