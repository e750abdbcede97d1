// The service account of a cluster's nodes, with the little that a node needs, instead of the project's default one,
// which may change everything in the project.
import { ComponentResource, interpolate } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { IAMMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import type { AccountArgs } from "@pulumi/gcp/serviceaccount/account.js";
import type { GkeCluster } from "../config/cluster.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

/**
 * Logs and metrics of nodes, and images of the project's own registry.
 * Source: docs.cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster#use_least_privilege_sa.
 */
const roles = ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"] as const;

/** Ids of service accounts have 30 characters at most. Source: docs.cloud.google.com/iam/docs/service-accounts-create. */
const longestId = 30;

export interface GkeNodeIdentityArgs {
  readonly cluster: Pick<GkeCluster, "project" | "name">;
  readonly transform?: { readonly account?: Transform<AccountArgs> };
}

export class GkeNodeIdentity extends ComponentResource {
  readonly email: Output<string>;
  /** What nodes must wait for: before it they may not even write their logs. */
  readonly grants: readonly IAMMember[];

  constructor(name: string, { cluster, transform }: GkeNodeIdentityArgs, options: ComponentOptions) {
    super("llama-operator:gke:NodeIdentity", name, {}, options);
    const own = { parent: this, provider: options.provider };
    const { project } = cluster;
    const account = transformed<AccountArgs>(transform?.account, {
      args: {
        project,
        accountId: nodeAccountId(cluster.name),
        displayName: `Nodes of the GKE cluster ${cluster.name}`,
      },
      options: own,
    });
    const made = new Account(name, account.args, account.options);
    this.email = made.email;
    this.grants = roles.map(
      (role) =>
        new IAMMember(
          `${name}-${role.replace(/^roles\//, "")}`,
          { project, role, member: interpolate`serviceAccount:${made.email}` },
          own,
        ),
    );
    this.registerOutputs({ email: this.email });
  }
}

/** Id of the account; a long name of a cluster is cut, and two that begin alike need a transform. */
export function nodeAccountId(clusterName: string): string {
  const suffix = "-nodes";
  return `${clusterName.slice(0, longestId - suffix.length).replace(/-+$/, "")}${suffix}`;
}
