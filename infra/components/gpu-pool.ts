// A GpuPool on the cluster: what the operator knows of a pool of nodes before there is one to look at.
import { ComponentResource } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type { CustomResourceArgs } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { isProtected } from "../config/capacity.ts";
import type { PoolConfiguration } from "../config/pool.ts";
import { gpuPoolObject } from "../objects/custom-objects.ts";
import { transformed } from "./transform.ts";
import type { ComponentOptions, Transform } from "./transform.ts";

export interface GpuPoolArgs {
  /** The pool's facts, as the stack's configuration has them. */
  readonly pool: PoolConfiguration;
  readonly transform?: {
    /** The GpuPool itself. */
    readonly gpuPool?: Transform<CustomResourceArgs>;
  };
}

/** A GpuPool; protected where its capacity was bought or the pool says so. */
export class GpuPoolResource extends ComponentResource {
  readonly gpuPool: CustomResource;
  /** Name of the GpuPool. */
  readonly poolName: Output<string>;

  constructor(name: string, { pool, transform }: GpuPoolArgs, options: ComponentOptions) {
    super("llama-operator:serving:GpuPool", name, {}, options);
    const { args, options: own } = transformed<CustomResourceArgs>(transform?.gpuPool, {
      args: gpuPoolObject(pool),
      options: {
        parent: this,
        provider: options.provider,
        protect: isProtected(pool),
      },
    });
    this.gpuPool = new CustomResource(name, args, own);
    this.poolName = this.gpuPool.metadata.name;
    this.registerOutputs({ poolName: this.poolName });
  }
}
