// EKS clusters, their add-ons and who may use them. ForceNew after hashicorp/terraform-provider-aws internal/service/eks/
// {cluster,addon,access_entry,access_policy_association}.go; refusals after EKS' API reference.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { PropertyMap, PropertyValue } from "../../../local-engine/protocol/properties.ts";
import type { CloudResource, CloudView } from "../cloud.ts";
import { policiesOf } from "./identity.ts";
import {
  accountId,
  arn,
  callerOf,
  eksError,
  having,
  listOf,
  mapsOf,
  part,
  soldVersions,
  types,
} from "./names.ts";

export const cluster: CloudResource = {
  required: ["roleArn", "vpcConfig"],
  nameInput: "name",
  id: ({ name }) => textOf(name),
  conflict: (id) =>
    eksError("CreateCluster", "ResourceInUseException", `Cluster already exists with name: ${id}`),
  replacing: [
    "name",
    "roleArn",
    "bootstrapSelfManagedAddons",
    "accessConfig.bootstrapClusterCreatorAdminPermissions",
    "kubernetesNetworkConfig",
    "outpostConfig",
    "encryptionConfig",
  ],
  refusal(inputs, cloud, before) {
    const say = (message: string) => eksError("CreateCluster", "InvalidParameterException", message);
    if (!policiesOf(textOf(inputs["roleArn"]), cloud).includes("AmazonEKSClusterPolicy")) {
      return say(`The role ${textOf(inputs["roleArn"])} lacks the policy AmazonEKSClusterPolicy.`);
    }
    const version = textOf(inputs["version"]);
    const running = textOf(before?.inputs["version"]);
    if (version !== "" && version !== running && !soldVersions(cloud.account).includes(version)) {
      return say(`unsupported Kubernetes version ${version}`);
    }
    if (running !== "" && ![0, 1].includes(Number(version.slice(2)) - Number(running.slice(2)))) {
      return say(`Unsupported Kubernetes minor version update from ${running} to ${version}`);
    }
    const zones = subnetsOf(part(inputs, "vpcConfig")["subnetIds"], cloud).map(
      ({ inputs: { availabilityZone } }) => availabilityZone,
    );
    // docs.aws.amazon.com/eks/latest/userguide/network-reqs.html: not in use1-az3, which is us-east-1e in most accounts.
    if (zones.includes("us-east-1e")) {
      return eksError(
        "CreateCluster",
        "UnsupportedAvailabilityZoneException",
        "Cannot create cluster because us-east-1e, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f.",
      );
    }
    if (new Set(zones).size < 2) {
      return say("Subnets specified must be in at least two different AZs");
    }
    // docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html: a cluster's subnets stay in its VPC.
    const subnets = subnetsOf(part(inputs, "vpcConfig")["subnetIds"], cloud);
    const vpcId = before === undefined ? undefined : part(before.outputs, "vpcConfig")["vpcId"];
    if (vpcId !== undefined && subnets.some((each) => each.inputs["vpcId"] !== vpcId)) {
      return say("Provided subnets belong to another VPC than the cluster's");
    }
    const { endpointPublicAccess, endpointPrivateAccess } = part(inputs, "vpcConfig");
    return endpointPublicAccess === false && endpointPrivateAccess !== true
      ? say("Private and public endpoint access cannot be false")
      : undefined;
  },
  refusesDeletion({ id, inputs }, cloud) {
    if (inputs["deletionProtection"] === true) {
      return eksError("DeleteCluster", "InvalidRequestException", "Cluster has deletion protection enabled");
    }
    return having(cloud, types.nodeGroup, "clusterName", id).length === 0
      ? undefined
      : eksError("DeleteCluster", "ResourceInUseException", "Cluster has nodegroups attached");
  },
  outputs({ id, inputs, serial }, cloud) {
    const subnets = subnetsOf(part(inputs, "vpcConfig")["subnetIds"], cloud);
    return {
      arn: arn("eks", cloud, `cluster/${id}`),
      endpoint: `https://${cloud.apiServer.host}`,
      certificateAuthority: { data: cloud.apiServer.certificateAuthority },
      creator: cloud.find(types.cluster, id)?.outputs["creator"] ?? roleOf(callerOf(cloud)),
      status: "ACTIVE",
      platformVersion: "eks.1",
      version: inputs["version"] ?? "1.35",
      vpcConfig: {
        ...part(inputs, "vpcConfig"),
        clusterSecurityGroupId: `sg-0${serial.toString(16).padStart(16, "0")}`,
        vpcId: subnets[0]?.inputs["vpcId"] ?? "",
      },
    };
  },
};

const subnetsOf = (ids: PropertyValue | undefined, cloud: CloudView) =>
  listOf(ids).flatMap((id) => cloud.find(types.subnet, id) ?? []);

/** What is of a cluster goes with it, so that a second deletion finds nothing; and without it nothing can be made. */
const missingCluster = (operation: string, name: PropertyValue | undefined, cloud: CloudView) =>
  cloud.find(types.cluster, name) === undefined
    ? eksError(operation, "ResourceNotFoundException", `No cluster found for name: ${textOf(name)}.`)
    : undefined;

/** The driver's controller asks EC2 for its zones when it starts, and does not start where it may not. */
function driverRefusal(inputs: PropertyMap, cloud: CloudView): string | undefined {
  if (inputs["addonName"] !== "aws-ebs-csi-driver") return undefined;
  const [association] = mapsOf(inputs["podIdentityAssociations"]);
  return policiesOf(textOf(association?.["roleArn"]), cloud).includes("AmazonEBSCSIDriverPolicy")
    ? undefined
    : "unexpected state 'CREATE_FAILED', wanted target 'ACTIVE'. last error: InsufficientNumberOfReplicas: ebs-csi-controller: UnauthorizedOperation: You are not authorized to perform this operation.";
}

export const addon: CloudResource = {
  required: ["clusterName", "addonName"],
  id: ({ clusterName, addonName }) => `${textOf(clusterName)}:${textOf(addonName)}`,
  conflict: (id) => eksError("CreateAddon", "ResourceInUseException", `Addon already exists. (${id})`),
  replacing: ["clusterName", "addonName"],
  refusal(inputs, cloud) {
    const absent = missingCluster("CreateAddon", inputs["clusterName"], cloud);
    if (absent !== undefined) return absent;
    const withoutIdentity = driverRefusal(inputs, cloud);
    if (withoutIdentity !== undefined) return withoutIdentity;
    // An add-on whose pods find no node stays in CREATE_FAILED.
    const needsNodes = ["coredns", "aws-ebs-csi-driver"].includes(textOf(inputs["addonName"]));
    return needsNodes && having(cloud, types.nodeGroup, "clusterName", inputs["clusterName"]).length === 0
      ? "unexpected state 'DEGRADED', wanted target 'ACTIVE'. last error: InsufficientNumberOfReplicas: The add-on is unhealthy because it doesn't have the desired number of replicas."
      : undefined;
  },
  outputs: ({ id, inputs }, cloud) => ({
    arn: arn("eks", cloud, `addon/${id.replace(":", "/")}`),
    addonVersion: inputs["addonVersion"] ?? "v1.0.0-eksbuild.1",
  }),
};

/**
 * The role or user for which EKS makes an access entry with the cluster, unless it is told not to: who made it.
 * Source: docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessConfigRequest.html.
 */
function creatorOf(clusterName: PropertyValue | undefined, cloud: CloudView): string | undefined {
  const made = cloud.find(types.cluster, clusterName);
  if (made === undefined) return undefined;
  const said = part(made.inputs, "accessConfig")["bootstrapClusterCreatorAdminPermissions"];
  return said === false ? undefined : textOf(made.outputs["creator"]);
}

/** The role of a session; a user is itself. */
const roleOf = (caller: string): string =>
  caller.replace(/^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");

export const accessEntry: CloudResource = {
  required: ["clusterName", "principalArn"],
  id: ({ clusterName, principalArn }) => `${textOf(clusterName)}:${textOf(principalArn)}`,
  conflict: (id) =>
    eksError(
      "CreateAccessEntry",
      "ResourceInUseException",
      `The specified access entry resource is already in use. (${id})`,
    ),
  replacing: ["clusterName", "principalArn", "type"],
  refusal({ clusterName, principalArn }, cloud, before) {
    const absent = missingCluster("CreateAccessEntry", clusterName, cloud);
    if (absent !== undefined || before !== undefined) return absent;
    return creatorOf(clusterName, cloud) === principalArn
      ? eksError(
          "CreateAccessEntry",
          "ResourceInUseException",
          "The specified access entry resource is already in use on this cluster.",
        )
      : undefined;
  },
  outputs: ({ inputs }, cloud) => ({
    accessEntryArn: arn("eks", cloud, `access-entry/${textOf(inputs["clusterName"])}`),
    type: inputs["type"] ?? "STANDARD",
    userName: inputs["userName"] ?? inputs["principalArn"] ?? accountId,
  }),
};

export const accessPolicyAssociation: CloudResource = {
  required: ["clusterName", "principalArn", "policyArn", "accessScope"],
  id: ({ clusterName, principalArn, policyArn }) =>
    `${textOf(clusterName)}#${textOf(principalArn)}#${textOf(policyArn)}`,
  replacing: ["clusterName", "principalArn", "policyArn", "accessScope"],
  refusal: ({ clusterName, principalArn }, cloud) =>
    cloud.find(types.accessEntry, `${textOf(clusterName)}:${textOf(principalArn)}`) === undefined &&
    creatorOf(clusterName, cloud) !== principalArn
      ? eksError(
          "AssociateAccessPolicy",
          "ResourceNotFoundException",
          `The specified principalArn could not be found: ${textOf(principalArn)}`,
        )
      : undefined,
};
