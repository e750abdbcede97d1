// LeaderWorkerSet, the controller that models on several nodes run by: a namespace and the release of its chart.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import type { NamespaceArgs } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import type { AddOn } from "../add-ons.ts";
import { namespaceObject } from "../objects/namespaces.ts";
import { leaderWorkerSetRelease } from "../objects/releases.ts";
import { releaseArgs } from "./chart-release.ts";
import { transformed } from "./transform.ts";
import type { ComponentOptions, Transform } from "./transform.ts";

export interface LeaderWorkerSetArgs {
  /** Chart and version, where not those of the lock table. */
  readonly addOn?: AddOn;
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly release?: Transform<ReleaseArgs>;
  };
}

/** The LeaderWorkerSet controller. Its chart owns the CRD: destroying it deletes every LeaderWorkerSet. */
export class LeaderWorkerSetAddOn extends ComponentResource {
  readonly namespace: Namespace;
  readonly release: Release;
  /** Version of the chart. */
  readonly version: Output<string>;

  constructor(name: string, { addOn, transform }: LeaderWorkerSetArgs, options: ComponentOptions) {
    super("llama-operator:serving:LeaderWorkerSet", name, {}, options);
    const own = { parent: this, provider: options.provider };
    const facts = leaderWorkerSetRelease(addOn);
    const namespace = transformed<NamespaceArgs>(transform?.namespace, {
      args: namespaceObject(facts.namespace),
      options: own,
    });
    this.namespace = new Namespace(`${name}-namespace`, namespace.args, namespace.options);
    const release = transformed<ReleaseArgs>(transform?.release, {
      args: releaseArgs(facts),
      options: { ...own, dependsOn: [this.namespace] },
    });
    this.release = new Release(name, release.args, release.options);
    this.version = this.release.version;
    this.registerOutputs({ version: this.version });
  }
}
