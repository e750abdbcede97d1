// What makes the GPUs and network cards of EKS' nodes resources that pods can ask for. The driver itself is in the
// image: a second one, such as the GPU Operator's own, must not be installed beside it.
import { ComponentResource } from "@pulumi/pulumi";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import { efaDevicePlugin, nvidiaDevicePlugin } from "../../add-ons.ts";
import { releaseArgs } from "../chart-release.ts";
import { transformed } from "../transform.ts";
import type { ComponentOptions, Transform } from "../transform.ts";

export interface EksGpuDriversArgs {
  /** Whether some pool has EFA. */
  readonly efa: boolean;
  readonly transform?: {
    readonly nvidiaDevicePlugin?: Transform<ReleaseArgs>;
    readonly efaDevicePlugin?: Transform<ReleaseArgs>;
  };
}

/** The namespace that both plugins are at home in: their pods are critical to nodes. */
const namespace = "kube-system";

/** NVIDIA's device plugin, and that of EFA where a pool has it. */
export class EksGpuDrivers extends ComponentResource {
  readonly releases: readonly Release[];

  constructor(name: string, { efa, transform }: EksGpuDriversArgs, options: ComponentOptions) {
    super("llama-operator:eks:GpuDrivers", name, {}, options);
    const wanted = [
      { addOn: nvidiaDevicePlugin, transform: transform?.nvidiaDevicePlugin },
      ...(efa ? [{ addOn: efaDevicePlugin, transform: transform?.efaDevicePlugin }] : []),
    ];
    this.releases = wanted.map(({ addOn, transform: change }) => {
      const registration = transformed<ReleaseArgs>(change, {
        args: releaseArgs({ addOn, namespace, values: addOn.values }),
        options: { parent: this, provider: options.provider },
      });
      return new Release(addOn.release, registration.args, registration.options);
    });
    this.registerOutputs({});
  }
}
