// EKS' managed node groups: what the provider replaces, and the nodes that a group is. What EKS and EC2 refuse is in
// node-group-refusals.ts. ForceNew after hashicorp/terraform-provider-aws internal/service/eks/node_group.go.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import { findMachineShape, type NodeTaint } from "@llama-operator/llama/catalog";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import type { Device, NodeGroup } from "../node-group.ts";
import { eksMachine } from "./machines.ts";
import { arn, listOf, mapsOf, part, regionOf, types } from "./names.ts";
import { nodeGroupRefusal } from "./node-group-refusals.ts";

export const nodeGroup: CloudResource = {
  required: ["clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"],
  nameInput: "nodeGroupName",
  id: ({ clusterName, nodeGroupName }) => `${textOf(clusterName)}:${textOf(nodeGroupName)}`,
  conflict: (id) =>
    `operation error EKS: CreateNodegroup, https response error StatusCode: 409, ResourceInUseException: NodeGroup already exists with name ${id.replace(/^.*:/, "")} and cluster name ${id.replace(/:.*$/, "")}`,
  replacing: [
    "amiType",
    "capacityType",
    "clusterName",
    "diskSize",
    "instanceTypes",
    "launchTemplate.id",
    "launchTemplate.name",
    "nodeGroupName",
    "nodeGroupNamePrefix",
    "nodeRoleArn",
    "remoteAccess",
    "subnetIds",
  ],
  refusal: nodeGroupRefusal,
  outputs: ({ id, inputs, serial }, cloud) => ({
    arn: arn("eks", cloud, `nodegroup/${id.replace(":", "/")}/${serial}`),
    status: "ACTIVE",
    capacityType: inputs["capacityType"] ?? "ON_DEMAND",
    releaseVersion: inputs["releaseVersion"] ?? "1.35.0-20261101",
    version: inputs["version"] ?? cloud.find(types.cluster, inputs["clusterName"])?.outputs["version"] ?? "",
    resources: [
      {
        autoscalingGroups: [{ name: `eks-${textOf(inputs["nodeGroupName"])}-${serial}` }],
        remoteAccessSecurityGroupId: "",
      },
    ],
  }),
  nodes,
};

function nodes(record: CloudRecord, cloud: CloudView): NodeGroup | undefined {
  const { inputs, serial } = record;
  const template = cloud.find(types.launchTemplate, part(inputs, "launchTemplate")["id"])?.inputs ?? {};
  const machineType = textOf(template["instanceType"] ?? listOf(inputs["instanceTypes"])[0] ?? "t3.medium");
  const machine = eksMachine(machineType, rootVolumeGib(inputs, template), joinsDisks(template));
  if (machine === undefined) return undefined;
  const region = regionOf(cloud);
  // us-east-1 alone has names without its own.
  const domain = region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
  return {
    machine,
    count: Number(part(inputs, "scalingConfig")["desiredSize"]),
    zones: listOf(inputs["subnetIds"]).flatMap((id) => {
      const zone = cloud.find(types.subnet, id)?.inputs["availabilityZone"];
      return zone === undefined ? [] : [textOf(zone)];
    }),
    region,
    nodeName: (index) => `ip-10-0-${serial % 256}-${10 + index}.${domain}`,
    labels: labelsOf(inputs, machineType),
    taints: mapsOf(inputs["taints"]).map(taintOf),
    devices: devicesOf(inputs, template, machineType),
  };
}

/** EKS' default where neither says one is 20 GiB. */
function rootVolumeGib(inputs: PropertyMap, template: PropertyMap): number {
  const [root] = mapsOf(template["blockDeviceMappings"]);
  return Number(part(root ?? {}, "ebs")["volumeSize"] ?? inputs["diskSize"] ?? 20);
}

/** Whether nodeadm is told to join the NVMe disks: awslabs/amazon-eks-ami nodeadm/doc/api.md. */
function joinsDisks(template: PropertyMap): boolean {
  const text = Buffer.from(textOf(template["userData"]), "base64").toString();
  return /application\/node\.eks\.aws[\s\S]*localStorage:\s+strategy: RAID0/.test(text);
}

/** docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html: labels that EKS adds. */
function labelsOf(inputs: PropertyMap, machineType: string): Readonly<Record<string, string>> {
  const asked = Object.entries(part(inputs, "labels")).map(([label, value]) => [label, textOf(value)]);
  return {
    ...(Object.fromEntries(asked) as Record<string, string>),
    "eks.amazonaws.com/nodegroup": textOf(inputs["nodeGroupName"]),
    "eks.amazonaws.com/capacityType": textOf(inputs["capacityType"]) || "ON_DEMAND",
    "node.kubernetes.io/instance-type": machineType,
  };
}

const effects: Readonly<Record<string, NodeTaint["effect"]>> = {
  NO_SCHEDULE: "NoSchedule",
  PREFER_NO_SCHEDULE: "PreferNoSchedule",
  NO_EXECUTE: "NoExecute",
};

const taintOf = ({ key, value, effect }: PropertyMap): NodeTaint => ({
  key: textOf(key),
  ...(value === undefined ? {} : { value: textOf(value) }),
  effect: effects[textOf(effect)] ?? "NoSchedule",
});

/** The driver container of NVIDIA's GPU Operator: beside the image's own driver it breaks both. */
const operatorDriver = "driver";

/** EKS announces nothing itself: each device waits for its plugin, and a GPU for a driver. */
function devicesOf(inputs: PropertyMap, template: PropertyMap, machineType: string): readonly Device[] {
  const shape = findMachineShape(machineType);
  if (shape === undefined) return [];
  const driverInside = textOf(inputs["amiType"]).endsWith("_NVIDIA");
  const cards = mapsOf(template["networkInterfaces"]).filter(({ interfaceType }) =>
    ["efa", "efa-only"].includes(textOf(interfaceType)),
  );
  return [
    {
      resource: "nvidia.com/gpu",
      count: shape.gpusPerNode,
      needs: ["k8s-device-plugin", ...(driverInside ? [] : [operatorDriver])],
      conflicts: driverInside ? [operatorDriver] : [],
    },
    ...(cards.length === 0
      ? []
      : [
          {
            resource: "vpc.amazonaws.com/efa",
            count: cards.length,
            needs: ["aws-efa-k8s-device-plugin"],
            conflicts: [],
          },
        ]),
  ];
}
