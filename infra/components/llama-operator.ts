// The operator on a cluster: a namespace whose pods need no privilege, and the release of its chart.
import { ComponentResource, secret } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import type { NamespaceArgs } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import type { AddOn } from "../add-ons.ts";
import type { OperatorConfiguration } from "../config/operator.ts";
import { namespaceObject, restrictedLabels } from "../objects/namespaces.ts";
import { operatorRelease } from "../objects/releases.ts";
import { releaseArgs } from "./chart-release.ts";
import { transformed } from "./transform.ts";
import type { ComponentOptions, Transform } from "./transform.ts";

export interface LlamaOperatorArgs {
  /** Image, replicas, namespace and further values of the chart. */
  readonly operator: OperatorConfiguration;
  /** Whether the chart's values are to be a secret, in the state and wherever Pulumi shows them. */
  readonly secretValues?: boolean;
  /** Chart and version, where not those of the lock table. */
  readonly addOn?: AddOn;
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly release?: Transform<ReleaseArgs>;
  };
}

/** The operator with its CustomResourceDefinitions. These stay when it is destroyed: with them every model would go. */
export class LlamaOperator extends ComponentResource {
  readonly namespace: Namespace;
  readonly release: Release;
  /** Version of the chart. */
  readonly version: Output<string>;

  constructor(name: string, args: LlamaOperatorArgs, options: ComponentOptions) {
    super("llama-operator:serving:LlamaOperator", name, {}, options);
    const { operator, addOn, transform } = args;
    const own = { parent: this, provider: options.provider };
    const namespace = transformed<NamespaceArgs>(transform?.namespace, {
      args: namespaceObject(operator.namespace, restrictedLabels),
      options: own,
    });
    this.namespace = new Namespace(`${name}-namespace`, namespace.args, namespace.options);
    const facts = operatorRelease(operator, addOn);
    const plain = releaseArgs(facts);
    const chart = args.secretValues === true ? { ...plain, values: secret(facts.values) } : plain;
    const dependsOn = [this.namespace];
    const release = transformed<ReleaseArgs>(
      transform?.release,
      operator.takeOwnership === true
        ? {
            args: { ...chart, takeOwnership: true },
            // An uninstall takes what the new release owns by then, its ClusterRoles first: it must be over before.
            options: { ...own, dependsOn, deleteBeforeReplace: true },
          }
        : { args: chart, options: { ...own, dependsOn } },
    );
    this.release = new Release(name, release.args, release.options);
    this.version = this.release.version;
    this.registerOutputs({ version: this.version });
  }
}
