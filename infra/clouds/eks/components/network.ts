// The network of an EKS cluster: nodes in private subnets, one a zone, which reach the outside through NAT.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Eip } from "@pulumi/aws/ec2/eip.js";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { NatGateway } from "@pulumi/aws/ec2/natGateway.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import type { SubnetArgs } from "@pulumi/aws/ec2/subnet.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import type { VpcArgs } from "@pulumi/aws/ec2/vpc.js";
import { VpcEndpoint } from "@pulumi/aws/ec2/vpcEndpoint.js";
import type { EksCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { privateSubnet, publicSubnet } from "./addresses.ts";

export interface EksNetworkArgs {
  /** Name, region, network and protection, as the stack's configuration has them. */
  readonly cluster: EksCluster;
  readonly transform?: {
    readonly vpc?: Transform<VpcArgs>;
    /** Each private subnet. */
    readonly privateSubnet?: Transform<SubnetArgs>;
  };
}

const everywhere = "0.0.0.0/0";

/** A VPC with a private and a public subnet in each zone; the public ones hold the NAT gateways and nothing else. */
export class EksNetwork extends ComponentResource {
  readonly vpcId: Output<string>;
  /** Private subnets by zone. */
  readonly subnets: ReadonlyMap<string, Subnet>;
  /** Layers of images lie in S3: through it they cost no NAT traffic. */
  readonly s3: VpcEndpoint;

  readonly #tags: Readonly<Record<string, string>>;
  readonly #own: { readonly parent: EksNetwork; readonly provider: ComponentOptions["provider"] };
  readonly #cluster: string;

  constructor(name: string, { cluster, transform }: EksNetworkArgs, options: ComponentOptions) {
    super("llama-operator:eks:Network", name, {}, options);
    const { network, region } = cluster;
    this.#tags = cluster.tags;
    this.#cluster = cluster.name;
    this.#own = { parent: this, provider: options.provider };
    const { args, options: own } = transformed<VpcArgs>(transform?.vpc, {
      args: {
        cidrBlock: network.cidr,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        tags: this.#named("network"),
      },
      options: { ...this.#own, protect: cluster.protect },
    });
    const vpc = new Vpc(name, args, own);
    this.vpcId = vpc.id;
    const gateway = new InternetGateway(name, { vpcId: vpc.id, tags: this.#named("internet") }, this.#own);
    const gateways = this.#natGateways(name, cluster, vpc, gateway);
    const zones = network.zones.map((zone, index) => {
      const nat = gateways[index] ?? gateways[0];
      const routes = this.#routed(`${name}-private-${zone}`, vpc, { natGatewayId: nat?.id });
      const subnet = this.#privateSubnet(
        `${name}-private-${zone}`,
        cluster,
        vpc,
        index,
        transform?.privateSubnet,
      );
      return { zone, routes, subnet, joined: this.#joined(`${name}-private-${zone}`, subnet, routes) };
    });
    this.subnets = new Map(zones.map(({ zone, subnet }) => [zone, subnet]));
    this.s3 = new VpcEndpoint(
      `${name}-s3`,
      {
        vpcId: vpc.id,
        serviceName: `com.amazonaws.${region}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: zones.map(({ routes }) => routes.routeTableId),
        tags: this.#named("s3"),
      },
      this.#own,
    );
    this.registerOutputs({ vpcId: this.vpcId });
  }

  #named(part: string): Readonly<Record<string, string>> {
    return { ...this.#tags, Name: `${this.#cluster}-${part}` };
  }

  #natGateways(
    name: string,
    { network }: EksCluster,
    vpc: Vpc,
    gateway: InternetGateway,
  ): readonly NatGateway[] {
    const routes = this.#routed(`${name}-public`, vpc, { gatewayId: gateway.id });
    const zones = network.natGateways === "one" ? network.zones.slice(0, 1) : network.zones;
    return zones.map((zone, index) => {
      const id = `${name}-public-${zone}`;
      const subnet = new Subnet(
        id,
        {
          vpcId: vpc.id,
          availabilityZone: zone,
          cidrBlock: publicSubnet(network.cidr, index),
          tags: { ...this.#named(`public-${zone}`), "kubernetes.io/role/elb": "1" },
        },
        this.#own,
      );
      const joined = this.#joined(id, subnet, routes);
      const address = new Eip(id, { domain: "vpc", tags: this.#named(`nat-${zone}`) }, this.#own);
      return new NatGateway(
        id,
        { subnetId: subnet.id, allocationId: address.allocationId, tags: this.#named(`nat-${zone}`) },
        { ...this.#own, dependsOn: [joined] },
      );
    });
  }

  #privateSubnet(
    id: string,
    { network }: EksCluster,
    vpc: Vpc,
    index: number,
    transform: Transform<SubnetArgs> | undefined,
  ): Subnet {
    const zone = network.zones[index] ?? "";
    const { args, options } = transformed<SubnetArgs>(transform, {
      args: {
        vpcId: vpc.id,
        availabilityZone: zone,
        cidrBlock: privateSubnet(network.cidr, index),
        tags: { ...this.#named(`private-${zone}`), "kubernetes.io/role/internal-elb": "1" },
      },
      options: this.#own,
    });
    return new Subnet(id, args, options);
  }

  /** A table with a way out. */
  #routed(
    id: string,
    vpc: Vpc,
    target: { readonly gatewayId?: Output<string>; readonly natGatewayId?: Output<string> | undefined },
  ): Route {
    const table = new RouteTable(id, { vpcId: vpc.id, tags: this.#named(id) }, this.#own);
    return new Route(id, { routeTableId: table.id, destinationCidrBlock: everywhere, ...target }, this.#own);
  }

  #joined(id: string, subnet: Subnet, { routeTableId }: Route): RouteTableAssociation {
    return new RouteTableAssociation(id, { subnetId: subnet.id, routeTableId }, this.#own);
  }
}
