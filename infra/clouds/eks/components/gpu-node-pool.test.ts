import { output, runtime } from "@pulumi/pulumi";
import { Cluster } from "@pulumi/aws/eks/cluster.js";
import { Provider } from "@pulumi/aws/provider.js";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { eksCluster } from "../config/cluster.ts";
import { eksPool } from "../config/pool.ts";
import { EksGpuNodePool } from "./gpu-node-pool.ts";
import type { EksGpuNodePoolArgs } from "./gpu-node-pool.ts";

interface Registered {
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];
const inputsOf = (type: string) => registered.find((each) => each.type === type)?.inputs;
const [templateType, groupType] = ["aws:ec2/launchTemplate:LaunchTemplate", "aws:eks/nodeGroup:NodeGroup"];
const [placementType, scheduleType] = [
  "aws:ec2/placementGroup:PlacementGroup",
  "aws:autoscaling/schedule:Schedule",
];

beforeAll(async () => {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, inputs: inputs as Registered["inputs"] });
      const more =
        type === groupType
          ? { resources: [{ autoscalingGroups: [{ name: "eks-h100" }] }] }
          : { latestVersion: 3 };
      return { id: `id-of-${name}`, state: { ...inputs, ...more } };
    },
  });
});

beforeEach(() => {
  registered.length = 0;
});

const cluster = eksCluster.parse({
  kind: "eks",
  name: "llama",
  region: "us-east-1",
  version: "1.35",
  network: { zones: ["us-east-1a", "us-east-1b"] },
  endpoint: { access: "private" },
  tags: { team: "serving" },
});
const block = {
  kind: "capacityBlock",
  reservation: "cr-0123456789abcdef0",
  start: "2026-12-01T11:30:00Z",
  end: "2026-12-08T11:30:00Z",
};

async function registerPool(changes: object, more: Partial<EksGpuNodePoolArgs> = {}): Promise<void> {
  const pool = eksPool.parse({
    name: "h100",
    machineShape: "p5.48xlarge",
    zones: ["us-east-1a"],
    nodes: { min: 2, max: 2 },
    capacity: { kind: "onDemand" },
    ...changes,
  });
  const provider = new Provider("aws", { region: "us-east-1" });
  const args = {
    pool,
    cluster,
    clusterResource: new Cluster(
      "cluster",
      { name: cluster.name, roleArn: "role", vpcConfig: { subnetIds: [] } },
      { provider },
    ),
    nodeRoleArn: output("arn:aws:iam::123456789012:role/llama-node"),
    clusterSecurityGroupId: output("sg-cluster"),
    efaSecurityGroupId: output("sg-efa"),
    subnetIds: [output("subnet-a")],
    now: new Date("2026-11-26T12:00:00Z"),
    ...more,
  };
  const made = new EksGpuNodePool(pool.name, args, {
    provider,
  });
  await new Promise((resolve) => {
    made.nodeGroupName.apply(resolve);
  });
  await runtime.disconnect();
}

test("an on-demand pool with EFA is a node group with its machine and cards in the launch template", async () => {
  await registerPool({});
  const template = inputsOf(templateType) ?? {};
  expect(template).toMatchObject({
    name: "llama-h100",
    instanceType: "p5.48xlarge",
    placement: { groupName: "llama-h100" },
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
  });
  expect(template["networkInterfaces"]).toHaveLength(33);
  expect((template["networkInterfaces"] as readonly object[])[0]).toEqual({
    networkCardIndex: 0,
    deviceIndex: 0,
    interfaceType: "interface",
    deleteOnTermination: "true",
    securityGroups: ["sg-cluster", "sg-efa"],
  });
  expect(inputsOf(placementType)).toMatchObject({ name: "llama-h100", strategy: "cluster" });
  expect(inputsOf(groupType)).toMatchInlineSnapshot(`
    {
      "amiType": "AL2023_x86_64_NVIDIA",
      "capacityType": "ON_DEMAND",
      "clusterName": "llama",
      "labels": {
        "nvidia.com/gpu.present": "true",
        "vpc.amazonaws.com/efa.present": "true",
      },
      "launchTemplate": {
        "id": "id-of-h100",
        "version": "3",
      },
      "nodeGroupName": "h100",
      "nodeRepairConfig": {
        "enabled": true,
        "maxParallelNodesRepairedCount": 1,
      },
      "nodeRoleArn": "arn:aws:iam::123456789012:role/llama-node",
      "scalingConfig": {
        "desiredSize": 2,
        "maxSize": 2,
        "minSize": 2,
      },
      "subnetIds": [
        "subnet-a",
      ],
      "tags": {
        "team": "serving",
      },
      "taints": [
        {
          "effect": "NO_SCHEDULE",
          "key": "nvidia.com/gpu",
          "value": "true",
        },
      ],
      "updateConfig": {
        "maxUnavailable": 1,
        "updateStrategy": "MINIMAL",
      },
    }
  `);
  expect(inputsOf(scheduleType)).toBeUndefined();
});

test("nodes are told to join their disks, in what EKS merges with its own user data", async () => {
  await registerPool({});
  const text = Buffer.from(String(inputsOf(templateType)?.["userData"]), "base64").toString();
  expect(text.replaceAll("\r", "")).toMatchInlineSnapshot(`
    "MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary="NODE"

    --NODE
    Content-Type: application/node.eks.aws

    apiVersion: node.eks.aws/v1alpha1
    kind: NodeConfig
    spec:
      instance:
        localStorage:
          strategy: RAID0

    --NODE--
    "
  `);
  await registerPool({ localStorage: "none" });
  expect(registered.filter(({ type }) => type === templateType)[1]?.inputs).not.toHaveProperty("userData");
});

test("a reserved pool takes nothing but what is reserved, and makes no placement group of its own", async () => {
  await registerPool({ capacity: { kind: "reserved", reservation: "cr-0123456789abcdef0" } });
  expect(inputsOf(templateType)?.["capacityReservationSpecification"]).toEqual({
    capacityReservationPreference: "capacity-reservations-only",
    capacityReservationTarget: { capacityReservationId: "cr-0123456789abcdef0" },
  });
  expect(inputsOf(placementType)).toBeUndefined();
  expect(inputsOf(groupType)).toMatchObject({ capacityType: "ON_DEMAND" });
});

test("a group of reservations, and a placement group that is there, are named", async () => {
  const group = "arn:aws:resource-groups:us-east-1:123456789012:group/h100";
  await registerPool({
    capacity: { kind: "reserved", reservation: group },
    placementGroup: { name: "near" },
  });
  expect(inputsOf(templateType)).toMatchObject({
    capacityReservationSpecification: {
      capacityReservationTarget: { capacityReservationResourceGroupArn: group },
    },
    placement: { groupName: "near" },
  });
});

test("a capacity block's pool is empty before the block, full within it, and emptied before it ends", async () => {
  const pool = { capacity: block, nodes: { min: 0, max: 4 } };
  await registerPool(pool);
  expect(inputsOf(templateType)).toMatchObject({
    instanceMarketOptions: { marketType: "capacity-block" },
    capacityReservationSpecification: {
      capacityReservationTarget: { capacityReservationId: block.reservation },
    },
  });
  expect(inputsOf(groupType)).toMatchObject({
    capacityType: "CAPACITY_BLOCK",
    scalingConfig: { minSize: 0, maxSize: 4, desiredSize: 0 },
  });
  expect(inputsOf(scheduleType)).toEqual({
    autoscalingGroupName: "eks-h100",
    scheduledActionName: "empty-before-the-block-ends",
    startTime: "2026-12-08T11:00:00Z",
    minSize: 0,
    maxSize: -1,
    desiredCapacity: 0,
  });
  registered.length = 0;
  await registerPool(pool, { now: new Date("2026-12-02T00:00:00Z") });
  expect(inputsOf(groupType)).toMatchObject({ scalingConfig: { desiredSize: 4 } });
  registered.length = 0;
  await registerPool(pool, { now: new Date("2026-12-08T11:10:00Z") });
  expect(inputsOf(groupType)).toMatchObject({ scalingConfig: { desiredSize: 0 } });
  expect(inputsOf(scheduleType)).toBeUndefined();
});

test("a pool without EFA has one interface, in the cluster's group alone", async () => {
  await registerPool({ efa: false });
  expect(inputsOf(templateType)?.["networkInterfaces"]).toEqual([
    {
      networkCardIndex: 0,
      deviceIndex: 0,
      interfaceType: "interface",
      deleteOnTermination: "true",
      securityGroups: ["sg-cluster"],
    },
  ]);
  expect(inputsOf(placementType)).toBeUndefined();
});

test("each inner resource can be transformed", async () => {
  await registerPool(
    {},
    {
      transform: {
        launchTemplate: { ebsOptimized: "true" },
        placementGroup: { tags: { of: "mine" } },
        nodeGroup: ({ args, options }) => ({ args: { ...args, labels: { a: "b" } }, options }),
      },
    },
  );
  expect(inputsOf(templateType)).toMatchObject({ ebsOptimized: "true" });
  expect(inputsOf(placementType)).toMatchObject({ tags: { of: "mine" } });
  expect(inputsOf(groupType)).toMatchObject({ labels: { a: "b" } });
});
