import { expect, test } from "vitest";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { accessEntry, accessPolicyAssociation, addon, cluster } from "./cluster.ts";
import { types } from "./names.ts";

const record = (type: string, id: string, inputs: PropertyMap, outputs: PropertyMap = {}): CloudRecord => ({
  package: "aws",
  type,
  id,
  inputs,
  outputs: { ...inputs, ...outputs },
  serial: 7,
});

const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const policy = (name: string, policyName: string) =>
  record(types.rolePolicyAttachment, name, {
    role: name,
    policyArn: `arn:aws:iam::aws:policy/${policyName}`,
  });

function cloud(more: readonly CloudRecord[] = [], account: CloudAccount = {}): CloudView {
  const all = [
    policy("cluster", "AmazonEKSClusterPolicy"),
    policy("volumes", "service-role/AmazonEBSCSIDriverPolicy"),
    ...["a", "b", "e"].map((zone) =>
      record(types.subnet, `subnet-${zone}`, { availabilityZone: `us-east-1${zone}`, vpcId: "vpc" }),
    ),
    ...more,
  ];
  const records = (type?: string) => all.filter((each) => type === undefined || each.type === type);
  return {
    provider: { region: "us-east-1" },
    account,
    records,
    find: (type, id) => records(type).find((each) => each.id === id),
    apiServer: { host: "127.0.0.1:1", certificateAuthority: "" },
  };
}

const asked = {
  name: "llama",
  version: "1.35",
  roleArn: role("cluster"),
  accessConfig: { bootstrapClusterCreatorAdminPermissions: true },
  vpcConfig: { subnetIds: ["subnet-a", "subnet-b"], endpointPrivateAccess: true },
} as const satisfies PropertyMap;

function made(changes: PropertyMap = {}, account: CloudAccount = {}): CloudRecord {
  const bare = record(types.cluster, "llama", { ...asked, ...changes });
  return { ...bare, outputs: { ...bare.inputs, ...cluster.outputs?.(bare, cloud([], account)) } };
}

test("who makes a cluster has an entry from then on, and gets no second one", () => {
  const own = { clusterName: "llama", principalArn: role("platform-engineers") };
  const there = cloud([made()], { caller: "arn:aws:iam::123456789012:user/another" });
  expect(accessEntry.refusal?.(own, there)).toContain("ResourceInUseException");
  expect(accessEntry.refusal?.({ ...own, principalArn: role("other") }, there)).toBeUndefined();
  const association = { ...own, policyArn: "p", accessScope: { type: "cluster" } };
  expect(accessPolicyAssociation.refusal?.(association, there)).toBeUndefined();
  const without = made({ accessConfig: { bootstrapClusterCreatorAdminPermissions: false } });
  expect(accessEntry.refusal?.(own, cloud([without]))).toBeUndefined();
});

test("a version that is not sold is refused, and a cluster that has it is left alone", () => {
  const account = { versions: ["1.36", "1.37"] };
  expect(cluster.refusal?.(asked, cloud([], account))).toContain("unsupported Kubernetes version 1.35");
  expect(cluster.refusal?.(asked, cloud([], account), made())).toBeUndefined();
  expect(cluster.refusal?.({ ...asked, version: "1.36" }, cloud([], account), made())).toBeUndefined();
  expect(cluster.refusal?.({ ...asked, version: "1.37" }, cloud([], account), made())).toContain(
    "Unsupported Kubernetes minor version update from 1.35 to 1.37",
  );
});

test("no control plane has a subnet in a zone that EKS is not in", () => {
  const vpcConfig = { ...asked.vpcConfig, subnetIds: ["subnet-a", "subnet-e"] };
  expect(cluster.refusal?.({ ...asked, vpcConfig }, cloud())).toContain(
    "UnsupportedAvailabilityZoneException",
  );
});

test("the driver of volumes does not start without its identity", () => {
  const driver = { clusterName: "llama", addonName: "aws-ebs-csi-driver" };
  const nodes = record(types.nodeGroup, "llama:system", { clusterName: "llama" });
  const there = cloud([made(), nodes]);
  expect(addon.refusal?.(driver, there)).toContain("UnauthorizedOperation");
  const podIdentityAssociations = [{ serviceAccount: "ebs-csi-controller-sa", roleArn: role("volumes") }];
  expect(addon.refusal?.({ ...driver, podIdentityAssociations }, there)).toBeUndefined();
});
