// NVIDIA's GPU Operator on GKE, beside Google's installer of the driver: device plugin, feature discovery and metrics are
// its, and a second driver is not.
import { ComponentResource } from "@pulumi/pulumi";
import { DaemonSet } from "@pulumi/kubernetes/apps/v1/daemonSet.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ResourceQuota } from "@pulumi/kubernetes/core/v1/resourceQuota.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import { gpuOperator } from "../../../add-ons.ts";
import { namespaceObject } from "../../../objects/namespaces.ts";
import { releaseArgs } from "../../../components/chart-release.ts";
import { ownOptions, transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { driverFolder, driverInstaller } from "./driver-installer.ts";

/**
 * Source: NVIDIA/aicr, recipes/components/gpu-operator/values-gke-cos.yaml;
 * docs.nvidia.com/datacenter/cloud-native/gpu-operator, GKE.
 */
const values = {
  driver: { enabled: false },
  hostPaths: { driverInstallDir: driverFolder },
  toolkit: { installDir: driverFolder, env: [{ name: "RUNTIME_CONFIG_SOURCE", value: "file" }] },
  cdi: { enabled: true, default: true },
} as const;

/** Its pods load and read devices of the node. */
const privileged = { "pod-security.kubernetes.io/enforce": "privileged" } as const;

/** GKE lets pods be critical to nodes only in namespaces whose quota says so. Source: as the values. */
const criticalPods = {
  hard: { pods: "1000" },
  scopeSelector: {
    matchExpressions: [
      {
        operator: "In",
        scopeName: "PriorityClass",
        values: ["system-node-critical", "system-cluster-critical"],
      },
    ],
  },
};

export interface GkeGpuOperatorArgs {
  readonly transform?: { readonly release?: Transform<ReleaseArgs> };
}

export class GkeGpuOperator extends ComponentResource {
  readonly release: Release;
  readonly driverInstaller: DaemonSet;

  constructor(name: string, { transform }: GkeGpuOperatorArgs, options: ComponentOptions) {
    super("llama-operator:gke:GpuOperator", name, {}, options);
    const own = ownOptions(this, options);
    const namespace = new Namespace(name, namespaceObject(name, privileged), own);
    const quota = new ResourceQuota(
      name,
      { metadata: { name, namespace: namespace.metadata.name }, spec: criticalPods },
      own,
    );
    this.driverInstaller = new DaemonSet(`${name}-driver-installer`, driverInstaller(), own);
    const { args, options: ofRelease } = transformed<ReleaseArgs>(transform?.release, {
      args: releaseArgs({
        addOn: gpuOperator,
        namespace: name,
        values: { ...gpuOperator.values, ...values },
      }),
      options: { ...own, dependsOn: [namespace, quota] },
    });
    this.release = new Release(name, args, ofRelease);
    this.registerOutputs({});
  }
}
