import { runtime } from "@pulumi/pulumi";
import { Provider } from "@pulumi/aws/provider.js";
import { beforeAll, expect, test, vi } from "vitest";
import { eksCluster } from "../config/cluster.ts";
import type { EksCluster } from "../config/cluster.ts";
import { EksControlPlane } from "./cluster.ts";
import { EfaSecurityGroup } from "./efa-security-group.ts";
import { eksKubeconfig } from "./kubeconfig.ts";
import { EksNetwork } from "./network.ts";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];
/** What the cluster that most tests look at asks for. */
let usual: Asked;

class Asked {
  readonly #registered: readonly Registered[];

  constructor(asked: readonly Registered[]) {
    this.#registered = asked;
  }

  all(type: string): readonly Registered[] {
    return this.#registered.filter((each) => each.type.endsWith(`:${type}`));
  }

  first(type: string): Registered["inputs"] | undefined {
    return this.all(type)[0]?.inputs;
  }
}

beforeAll(async () => {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs: inputs as Registered["inputs"] });
      const made = {
        arn: `arn-of-${name}`,
        allocationId: `address-${name}`,
        endpoint: "https://192.0.2.1",
        certificateAuthority: { data: "Q0E=" },
      };
      const vpcConfig = {
        ...((inputs as Registered["inputs"])["vpcConfig"] as object),
        clusterSecurityGroupId: "sg-1",
      };
      return { id: `id-${name}`, state: { ...inputs, ...made, vpcConfig } };
    },
  });
  usual = await asked(configuration());
});

const configuration = (changes: object = {}): EksCluster =>
  eksCluster.parse({
    kind: "eks",
    name: "llama",
    region: "us-east-1",
    version: "1.35",
    network: { zones: ["us-east-1a", "us-east-1b"] },
    endpoint: { access: "public", cidrs: ["203.0.113.0/24"] },
    administrators: ["arn:aws:iam::123456789012:role/platform"],
    ...changes,
  });

/** A machine that does more than one thing takes its time over sixty resources. */
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const valueOf = async <T>(value: { apply(use: (value: T) => void): unknown }): Promise<T> =>
  new Promise((resolve) => {
    value.apply(resolve);
  });

async function asked(cluster: EksCluster, creator?: string): Promise<Asked> {
  registered.length = 0;
  const provider = new Provider("aws", { region: cluster.region });
  const network = new EksNetwork("network", { cluster }, { provider });
  const made = new EksControlPlane("cluster", { cluster, network, creator }, { provider });
  made.letIn([]);
  const efa = new EfaSecurityGroup(
    "efa",
    { name: "llama-efa", vpcId: network.vpcId, tags: {} },
    { provider },
  );
  expect(await valueOf(efa.securityGroupId)).toBe("id-efa");
  expect(await valueOf(made.securityGroupId)).toBe("sg-1");
  await runtime.disconnect();
  return new Asked([...registered]);
}

test("nodes are in private subnets whose way out is one NAT gateway, or one in each zone", async () => {
  const subnets = usual.all("Subnet").map(({ name, inputs }) => [name, inputs["cidrBlock"]]);
  expect(subnets).toEqual(
    expect.arrayContaining([
      ["network-private-us-east-1a", "10.0.0.0/19"],
      ["network-private-us-east-1b", "10.0.32.0/19"],
      ["network-public-us-east-1a", "10.0.224.0/24"],
    ]),
  );
  expect(usual.all("NatGateway")).toHaveLength(1);
  const zones = ["us-east-1a", "us-east-1b"];
  const other = await asked(configuration({ network: { zones, natGateways: "perZone" } }));
  const ways = other.all("Route").map(({ inputs }) => inputs["natGatewayId"]);
  expect(new Set(ways)).toEqual(
    new Set([undefined, "id-network-public-us-east-1a", "id-network-public-us-east-1b"]),
  );
});

test("the API server is reached inside the network, and from outside only from where it is said", async () => {
  expect(usual.first("Cluster")?.["vpcConfig"]).toEqual({
    subnetIds: ["id-network-private-us-east-1a", "id-network-private-us-east-1b"],
    endpointPrivateAccess: true,
    endpointPublicAccess: true,
    publicAccessCidrs: ["203.0.113.0/24"],
  });
  const other = await asked(configuration({ endpoint: { access: "private" } }));
  expect(other.first("Cluster")?.["vpcConfig"]).toMatchObject({ endpointPublicAccess: false });
});

test("each role has the policies of its task, and nodes may not change the network", () => {
  const policies = usual
    .all("RolePolicyAttachment")
    .map(({ inputs }) => [inputs["role"], inputs["policyArn"]]);
  expect(policies).toEqual([
    ["llama-cluster", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
    ["llama-node", "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"],
    ["llama-node", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"],
    ["llama-podnetwork", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"],
    ["llama-volumes", "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"],
  ]);
  const cni = usual.all("Addon").find(({ inputs }) => inputs["addonName"] === "vpc-cni");
  expect(cni?.inputs["podIdentityAssociations"]).toEqual([
    { serviceAccount: "aws-node", roleArn: "arn-of-llama-podnetwork" },
  ]);
});

test("volumes are made by EBS' driver with an identity of its own, of a class that is the default", () => {
  const driver = usual.all("Addon").find(({ inputs }) => inputs["addonName"] === "aws-ebs-csi-driver");
  expect(driver?.inputs).toMatchObject({
    podIdentityAssociations: [{ serviceAccount: "ebs-csi-controller-sa", roleArn: "arn-of-llama-volumes" }],
    configurationValues: '{"defaultStorageClass":{"enabled":true}}',
  });
});

test("administrators are let in by access entries", () => {
  expect(usual.first("AccessPolicyAssociation")).toMatchObject({
    principalArn: "arn:aws:iam::123456789012:role/platform",
    policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    accessScope: { type: "cluster" },
  });
});

test("who makes the cluster gets no second entry, and roles of one name get one each", async () => {
  const arn = (account: string) => `arn:aws:iam::${account}:role/platform`;
  const administrators = [arn("123456789012"), arn("111122223333"), arn("444455556666")];
  const creator = "arn:aws:sts::123456789012:assumed-role/platform/me";
  const other = await asked(configuration({ administrators }), creator);
  expect(other.all("AccessEntry").map(({ name, inputs }) => [name, inputs["principalArn"]])).toEqual([
    ["cluster-platform-111122223333-role", arn("111122223333")],
    ["cluster-platform-444455556666-role", arn("444455556666")],
  ]);
  expect(other.first("Cluster")?.["tags"]).toEqual({ "llama-operator.dev/creator": creator });
});

test("EFA's group lets everything in from itself and out to itself", () => {
  const itself = { securityGroupId: "id-efa", referencedSecurityGroupId: "id-efa", ipProtocol: "-1" };
  expect(usual.first("SecurityGroupIngressRule")).toMatchObject(itself);
  expect(usual.first("SecurityGroupEgressRule")).toMatchObject(itself);
});

test("a region of another partition has its own ARNs", async () => {
  const network = { zones: ["us-gov-west-1a", "us-gov-west-1b"] };
  const other = await asked(configuration({ region: "us-gov-west-1", network }));
  expect(other.first("RolePolicyAttachment")?.["policyArn"]).toBe(
    "arn:aws-us-gov:iam::aws:policy/AmazonEKSClusterPolicy",
  );
});

test("the kubeconfig names a program to ask, and holds no credential", () => {
  const access = {
    name: "llama",
    region: "us-east-1",
    endpoint: "https://192.0.2.1",
    certificateAuthority: "Q0E=",
  };
  expect(JSON.parse(eksKubeconfig({ ...access, profile: "work" }))).toMatchInlineSnapshot(`
    {
      "apiVersion": "v1",
      "clusters": [
        {
          "cluster": {
            "certificate-authority-data": "Q0E=",
            "server": "https://192.0.2.1",
          },
          "name": "llama",
        },
      ],
      "contexts": [
        {
          "context": {
            "cluster": "llama",
            "user": "llama",
          },
          "name": "llama",
        },
      ],
      "current-context": "llama",
      "kind": "Config",
      "users": [
        {
          "name": "llama",
          "user": {
            "exec": {
              "apiVersion": "client.authentication.k8s.io/v1beta1",
              "args": [
                "--region",
                "us-east-1",
                "eks",
                "get-token",
                "--cluster-name",
                "llama",
                "--output",
                "json",
              ],
              "command": "aws",
              "env": [
                {
                  "name": "AWS_PROFILE",
                  "value": "work",
                },
              ],
              "interactiveMode": "IfAvailable",
            },
          },
        },
      ],
    }
  `);
  expect(eksKubeconfig(access)).not.toContain("AWS_PROFILE");
});
