// What makes the GPUs and network cards of EKS' nodes resources that pods can ask for. The driver itself is in the
// image, and the container toolkit too: the GPU Operator is told to bring neither, since a second one breaks the first.
import { ComponentResource } from "@pulumi/pulumi";
import type { Resource } from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import { efaDevicePlugin, gpuOperator, nvidiaDevicePlugin } from "../../../add-ons.ts";
import type { AddOn } from "../../../add-ons.ts";
import { namespaceObject } from "../../../objects/namespaces.ts";
import { releaseArgs } from "../../../components/chart-release.ts";
import { ownOptions, transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";

export interface EksGpuDriversArgs {
  /** What announces the GPUs: NVIDIA's device plugin, or the GPU Operator with its own. */
  readonly driver: "image" | "gpuOperator";
  /** Whether some pool has EFA. */
  readonly efa: boolean;
  readonly transform?: {
    readonly nvidiaDevicePlugin?: Transform<ReleaseArgs>;
    readonly gpuOperator?: Transform<ReleaseArgs>;
    readonly efaDevicePlugin?: Transform<ReleaseArgs>;
  };
}

/** The namespace that both plugins are at home in: their pods are critical to nodes. */
const pluginNamespace = "kube-system";

/** Source: NVIDIA/aicr, recipes/overlays/eks.yaml and recipes/components/gpu-operator. */
const operatorValues = { driver: { enabled: false }, toolkit: { enabled: false } } as const;

/** The operator's pods load and read devices of the node. */
const privileged = { "pod-security.kubernetes.io/enforce": "privileged" } as const;

/** What announces GPUs, and EFA where a pool has it. */
export class EksGpuDrivers extends ComponentResource {
  readonly releases: readonly Release[];

  constructor(name: string, args: EksGpuDriversArgs, options: ComponentOptions) {
    super("llama-operator:eks:GpuDrivers", name, {}, options);
    const { driver, efa, transform } = args;
    const own = ownOptions(this, options);
    const release = (
      addOn: AddOn,
      namespace: string,
      change: Transform<ReleaseArgs> | undefined,
      values: AddOn["values"] = {},
      dependsOn: readonly Resource[] = [],
    ) => {
      const registration = transformed<ReleaseArgs>(change, {
        args: releaseArgs({ addOn, namespace, values: { ...addOn.values, ...values } }),
        options: { ...own, dependsOn: [...dependsOn] },
      });
      return new Release(addOn.release, registration.args, registration.options);
    };
    const operator = () => {
      const place = new Namespace("gpu-operator", namespaceObject("gpu-operator", privileged), own);
      return release(gpuOperator, "gpu-operator", transform?.gpuOperator, operatorValues, [place]);
    };
    this.releases = [
      driver === "gpuOperator"
        ? operator()
        : release(nvidiaDevicePlugin, pluginNamespace, transform?.nvidiaDevicePlugin),
      ...(efa ? [release(efaDevicePlugin, pluginNamespace, transform?.efaDevicePlugin)] : []),
    ];
    this.registerOutputs({});
  }
}
