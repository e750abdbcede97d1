import { expect, test } from "vitest";
import { networkInterfaces } from "../../../clouds/eks/components/network-interfaces.ts";
import { userData } from "../../../clouds/eks/components/user-data.ts";
import type { PropertyMap, PropertyValue } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { types } from "./names.ts";
import { nodeGroupRefusal } from "./node-group-refusals.ts";
import { nodeGroup } from "./node-group.ts";

const record = (type: string, id: string, inputs: PropertyMap, outputs: PropertyMap = {}): CloudRecord => ({
  package: "aws",
  type,
  id,
  inputs,
  outputs: { ...inputs, ...outputs },
  serial: 7,
});

const policy = (role: string, name: string) =>
  record(types.rolePolicyAttachment, `${role}-${name}`, {
    role,
    policyArn: `arn:aws:iam::aws:policy/${name}`,
  });

const template = {
  instanceType: "p5.48xlarge",
  networkInterfaces: networkInterfaces(32).map((each) => ({ ...each })),
  userData: userData("raid0") ?? "",
};

const group = {
  clusterName: "llama",
  nodeGroupName: "h100",
  nodeRoleArn: "arn:aws:iam::123456789012:role/node",
  subnetIds: ["subnet-a"],
  launchTemplate: { id: "lt-1", version: "1" },
  amiType: "AL2023_x86_64_NVIDIA",
  scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 2 },
  labels: { "nvidia.com/gpu.present": "true" },
  taints: [{ key: "nvidia.com/gpu", value: "true", effect: "NO_SCHEDULE" }],
};

/** A region in which the group can be made. */
const records: readonly CloudRecord[] = [
  record(types.cluster, "llama", { name: "llama" }, { version: "1.35" }),
  policy("node", "AmazonEKSWorkerNodePolicy"),
  policy("node", "AmazonEC2ContainerRegistryPullOnly"),
  policy("cni", "AmazonEKS_CNI_Policy"),
  record(types.addon, "llama:eks-pod-identity-agent", { clusterName: "llama" }),
  record(types.addon, "llama:vpc-cni", {
    clusterName: "llama",
    podIdentityAssociations: [{ serviceAccount: "aws-node", roleArn: "arn:aws:iam::123456789012:role/cni" }],
  }),
  record(types.subnet, "subnet-a", { availabilityZone: "us-east-1a" }),
  record(types.subnet, "subnet-b", { availabilityZone: "us-east-1b" }),
  record(types.routeTableAssociation, "a", { subnetId: "subnet-a", routeTableId: "rtb" }),
  record(types.routeTableAssociation, "b", { subnetId: "subnet-b", routeTableId: "rtb" }),
  record(types.route, "r", { routeTableId: "rtb", natGatewayId: "nat" }),
];

function region(
  changes: {
    readonly without?: string;
    readonly template?: PropertyMap;
    readonly account?: CloudAccount;
  } = {},
): CloudView {
  const all = [
    ...records.filter(({ id }) => id !== changes.without),
    record(types.launchTemplate, "lt-1", { ...template, ...changes.template }),
  ];
  const ofType = (type?: string) => all.filter((each) => type === undefined || each.type === type);
  return {
    provider: { region: "us-east-1" },
    account: changes.account ?? {},
    records: ofType,
    find: (type: string, id: PropertyValue | undefined) => ofType(type).find((each) => each.id === id),
    apiServer: { host: "127.0.0.1:6443", certificateAuthority: "" },
  };
}

const refusal = (inputs: PropertyMap = {}, cloud: CloudView = region()) =>
  nodeGroupRefusal({ ...group, ...inputs }, cloud);

test("a group of which nothing is wrong is made", () => {
  expect(refusal()).toBeUndefined();
});

test.each([
  ["llama", "No cluster found"],
  ["node-AmazonEKSWorkerNodePolicy", "the role may not describe the cluster"],
  ["node-AmazonEC2ContainerRegistryPullOnly", "the role may not pull images"],
  ["cni-AmazonEKS_CNI_Policy", "aws-node may not attach network interfaces"],
  ["llama:vpc-cni", "container runtime network not ready"],
  ["llama:eks-pod-identity-agent", "the Pod Identity agent is missing"],
  ["r", "the subnet has no route to the internet"],
  ["subnet-a", "The subnet ID does not exist"],
])("without %s its nodes do not join: %s", (without, message) => {
  expect(refusal({}, region({ without }))).toContain(message);
});

test.each<readonly [PropertyMap, string]>([
  [{ instanceTypes: ["p5.48xlarge"] }, "instance types in launch template and API request"],
  [{ diskSize: 100 }, "Disk size must be specified within the launch template"],
  [{ scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 1 } }, "can't be greater than desired size"],
  [{ scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 3 } }, "can't be greater than max size"],
  [{ launchTemplate: { id: "lt-2", version: "1" } }, "does not exist"],
  [{ capacityType: "CAPACITY_BLOCK" }, "market type capacity-block"],
])("a group with %j is refused: %s", (inputs, message) => {
  expect(refusal(inputs)).toContain(message);
});

const [primary, ...fabric] = template.networkInterfaces;

test.each<readonly [string, PropertyMap, string]>([
  [
    "whose primary card is EFA alone",
    { networkInterfaces: [{ ...primary, interfaceType: "efa-only" }, ...fabric] },
    "cannot be the primary network interface",
  ],
  ["without a primary card", { networkInterfaces: fabric }, "no primary network interface"],
  [
    "with two cards in one place",
    { networkInterfaces: [{ ...primary }, ...fabric, { ...fabric[0] }] },
    "two network interfaces have one place",
  ],
  ["with more EFA than the machine has", { instanceType: "p5en.48xlarge" }, "supports 16 EFA interfaces"],
  [
    "with a subnet of its own",
    { networkInterfaces: [{ ...primary, subnetId: "subnet-a" }] },
    "specify a subnet",
  ],
])("a launch template %s is refused", (_, changed, message) => {
  expect(refusal({}, region({ template: changed }))).toContain(message);
});

const target = {
  capacityReservationSpecification: { capacityReservationTarget: { capacityReservationId: "cr-1" } },
};
const held = { name: "cr-1", zone: "us-east-1a", machineType: "p5.48xlarge", count: 2 };

test("a group has the nodes of the reservation that its template names", () => {
  expect(refusal({}, region({ template: target, account: { reservations: [held] } }))).toBeUndefined();
});

test.each([
  [{ ...held, count: 1 }, "ReservationCapacityExceeded"],
  [{ ...held, zone: "us-east-1b" }, "is in us-east-1b"],
  [{ ...held, machineType: "p5.4xlarge" }, "is of p5.4xlarge"],
  [{ ...held, name: "cr-2" }, "NotFound: cr-1"],
])("of the reservation %j a group has none: %s", (reservation, message) => {
  const said = refusal({}, region({ template: target, account: { reservations: [reservation] } }));
  expect(said).toContain(message);
});

test("a capacity block has nodes within its time alone, and in its zone", () => {
  const past = { ...held, start: "2020-01-01T00:00:00Z", end: "2020-01-02T00:00:00Z" };
  const market = { ...target, instanceMarketOptions: { marketType: "capacity-block" } };
  const blockGroup = { capacityType: "CAPACITY_BLOCK" };
  const empty = { scalingConfig: { minSize: 0, maxSize: 2, desiredSize: 0 } };
  const over = region({ template: market, account: { reservations: [past] } });
  expect(refusal({ ...blockGroup, ...empty }, over)).toBeUndefined();
  expect(refusal(blockGroup, over)).toContain("the desired size must be 0");
  const open = region({ template: market, account: { reservations: [held] } });
  expect(refusal(blockGroup, open)).toBeUndefined();
  expect(refusal({ ...blockGroup, subnetIds: ["subnet-b"] }, open)).toContain("All subnets must be in");
});

test("its nodes have its labels and taints, the joined disks, and devices that wait for their plugins", () => {
  const made = nodeGroup.nodes?.(record(types.nodeGroup, "llama:h100", group), region());
  expect(made).toMatchObject({
    count: 2,
    zones: ["us-east-1a"],
    labels: { "eks.amazonaws.com/nodegroup": "h100", "nvidia.com/gpu.present": "true" },
    taints: [{ key: "nvidia.com/gpu", value: "true", effect: "NoSchedule" }],
    devices: [
      { resource: "nvidia.com/gpu", count: 8, needs: ["k8s-device-plugin"], conflicts: ["driver"] },
      { resource: "vpc.amazonaws.com/efa", count: 32, needs: ["aws-efa-k8s-device-plugin"], conflicts: [] },
    ],
  });
  const gib = (made?.machine.allocatable.ephemeralStorageBytes ?? 0) / 2 ** 30;
  expect(gib).toBe(25_479);
  const raw = nodeGroup.nodes?.(
    record(types.nodeGroup, "llama:h100", group),
    region({ template: { userData: "" } }),
  );
  expect((raw?.machine.allocatable.ephemeralStorageBytes ?? 0) / 2 ** 30).toBe(17);
});

test("without NVIDIA's image a GPU waits for a driver too", () => {
  const plain = { ...group, amiType: "AL2023_x86_64_STANDARD" };
  const made = nodeGroup.nodes?.(record(types.nodeGroup, "llama:h100", plain), region());
  expect(made?.devices[0]).toMatchObject({ needs: ["k8s-device-plugin", "driver"], conflicts: [] });
});
