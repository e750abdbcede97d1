// The security group of interfaces with EFA: all traffic to itself and from itself. EFA is no IP traffic, and a rule
// that lets everything out does not let it out; the rule must name the group.
// Source: docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html, step 1.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import type { SecurityGroupArgs } from "@pulumi/aws/ec2/securityGroup.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

export interface EfaSecurityGroupArgs {
  /** Name of the group. */
  readonly name: string;
  readonly vpcId: Output<string>;
  readonly tags: Readonly<Record<string, string>>;
  readonly transform?: { readonly securityGroup?: Transform<SecurityGroupArgs> };
}

/** One group for all pools of a cluster: nodes of one pool alone talk to each other over EFA. */
export class EfaSecurityGroup extends ComponentResource {
  readonly securityGroupId: Output<string>;

  constructor(id: string, { name, vpcId, tags, transform }: EfaSecurityGroupArgs, options: ComponentOptions) {
    super("llama-operator:eks:EfaSecurityGroup", id, {}, options);
    const own = { parent: this, provider: options.provider };
    const registration = transformed<SecurityGroupArgs>(transform?.securityGroup, {
      args: { name, description: "All traffic between nodes with EFA", vpcId, tags: { ...tags, Name: name } },
      options: own,
    });
    const group = new SecurityGroup(id, registration.args, registration.options);
    const toItself = {
      securityGroupId: group.id,
      referencedSecurityGroupId: group.id,
      ipProtocol: "-1",
      tags,
    };
    const rules = [
      new SecurityGroupIngressRule(`${id}-all-self`, toItself, own),
      new SecurityGroupEgressRule(`${id}-all-self`, toItself, own),
    ];
    // What uses the group waits for its rules.
    this.securityGroupId = rules.reduce<Output<string>>(
      (known, rule) => rule.id.apply(() => known),
      group.id,
    );
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }
}
