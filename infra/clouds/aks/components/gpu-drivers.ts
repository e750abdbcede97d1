// What makes GPUs and InfiniBand of AKS' nodes resources that pods can ask for. Either AKS installs the driver and the
// device plugin comes from here, or the GPU Operator brings both: never two drivers.
import { ComponentResource } from "@pulumi/pulumi";
import type { Resource } from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import { gpuOperator, networkOperator, nvidiaDevicePlugin } from "../../../add-ons.ts";
import type { AddOn } from "../../../add-ons.ts";
import type { AksPool } from "../config/pool.ts";
import { namespaceObject } from "../../../objects/namespaces.ts";
import { releaseArgs } from "../../../components/chart-release.ts";
import { ownOptions, transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import {
  devicePluginValues,
  gpuOperatorValues,
  infinibandRule,
  networkOperatorValues,
  nicClusterPolicy,
} from "./add-on-values.ts";

export interface AksGpuDriversArgs {
  /** Who installs the driver on the nodes of all pools. */
  readonly driver: AksPool["driver"];
  /** Whether some pool has InfiniBand; the driver is then the GPU Operator's. */
  readonly infiniband: boolean;
  readonly transform?: {
    readonly devicePlugin?: Transform<ReleaseArgs>;
    readonly gpuOperator?: Transform<ReleaseArgs>;
    readonly networkOperator?: Transform<ReleaseArgs>;
  };
}

/** Drivers load kernel modules: the least that Pod Security lets such pods do. */
const privileged = { "pod-security.kubernetes.io/enforce": "privileged" } as const;

interface Wanted {
  readonly addOn: AddOn;
  readonly values: Readonly<Record<string, unknown>>;
  readonly transform: Transform<ReleaseArgs> | undefined;
  readonly dependsOn?: readonly Resource[];
}

/** The device plugin; or the GPU Operator, after the network operator where InfiniBand is wanted. */
export class AksGpuDrivers extends ComponentResource {
  readonly #own: ReturnType<typeof ownOptions<AksGpuDrivers>>;

  constructor(name: string, { driver, infiniband, transform }: AksGpuDriversArgs, options: ComponentOptions) {
    super("llama-operator:aks:GpuDrivers", name, {}, options);
    this.#own = ownOptions(this, options);
    switch (driver) {
      case "install":
        this.#release({
          addOn: nvidiaDevicePlugin,
          values: devicePluginValues,
          transform: transform?.devicePlugin,
        });
        break;
      case "gpuOperator":
        this.#release({
          addOn: gpuOperator,
          values: gpuOperatorValues(infiniband),
          transform: transform?.gpuOperator,
          dependsOn: infiniband ? this.#infiniband(transform?.networkOperator) : [],
        });
        break;
      default:
        driver satisfies never;
    }
    this.registerOutputs({});
  }

  /** The GPU Operator builds nvidia-peermem against the cards' driver, so that this one is there first. */
  #infiniband(transform: Transform<ReleaseArgs> | undefined): readonly Resource[] {
    const release = this.#release({ addOn: networkOperator, values: networkOperatorValues, transform });
    const after = { ...this.#own, dependsOn: [release] };
    return [
      new CustomResource("infiniband-rule", infinibandRule, after),
      new CustomResource("nic-cluster-policy", nicClusterPolicy, after),
    ];
  }

  #release({ addOn, values, transform, dependsOn = [] }: Wanted): Release {
    const namespace = new Namespace(addOn.release, namespaceObject(addOn.release, privileged), this.#own);
    const { args, options } = transformed<ReleaseArgs>(transform, {
      args: releaseArgs({ addOn, namespace: addOn.release, values: { ...addOn.values, ...values } }),
      options: { ...this.#own, dependsOn: [namespace, ...dependsOn] },
    });
    return new Release(addOn.release, args, options);
  }
}
