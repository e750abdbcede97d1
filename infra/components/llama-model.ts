// A model on the cluster: its LlamaDeployment, and how long Pulumi waits for it.
import { ComponentResource, CustomResource, output } from "@pulumi/pulumi";
import type { CustomResourceOptions, Output } from "@pulumi/pulumi";
import { type LlamaDeploymentStatus, apiGroupVersion } from "@llama-operator/llama/api";
import type { PlannedModel } from "../planning/plan-stack.ts";
import { llamaDeploymentObject } from "../objects/custom-objects.ts";
import type { CustomObject } from "../objects/custom-objects.ts";
import { transformed } from "./transform.ts";
import type { ComponentOptions, Transform } from "./transform.ts";

/** A LlamaDeployment as the Kubernetes provider takes it. */
export interface LlamaDeploymentArgs extends Omit<CustomObject<"LlamaDeployment">, "metadata"> {
  readonly metadata: CustomObject["metadata"] & { readonly annotations?: Readonly<Record<string, string>> };
}

/** The custom resource with its status, which @pulumi/kubernetes' own CustomResource leaves out. */
export class LlamaDeploymentResource extends CustomResource {
  declare readonly status: Output<LlamaDeploymentStatus | undefined>;

  constructor(name: string, args: LlamaDeploymentArgs, options: CustomResourceOptions) {
    super(`kubernetes:${apiGroupVersion}:LlamaDeployment`, name, { ...args, status: undefined }, options);
  }
}

export interface LlamaModelArgs {
  /** The model with its plan: what it waits for, and how long, follows from the plan. */
  readonly planned: PlannedModel;
  readonly transform?: {
    readonly llamaDeployment?: Transform<LlamaDeploymentArgs>;
  };
}

const conditions = { ready: "condition=Ready", planned: "condition=Planned=True" } as const;

/** A LlamaDeployment, done when it answers, or when the operator has planned it. */
export class LlamaModel extends ComponentResource {
  readonly llamaDeployment: LlamaDeploymentResource;
  /** Base URL of the OpenAI-compatible API inside the cluster; empty until the operator has planned it. */
  readonly endpoint: Output<string>;

  constructor(name: string, { planned, transform }: LlamaModelArgs, options: ComponentOptions) {
    super("llama-operator:serving:LlamaModel", name, {}, options);
    const { model, wait, waitSeconds } = planned;
    const object = llamaDeploymentObject(model);
    const annotations = {
      "pulumi.com/waitFor": conditions[wait],
      "pulumi.com/timeoutSeconds": String(waitSeconds),
    };
    const timeout = `${waitSeconds}s`;
    const registration = transformed<LlamaDeploymentArgs>(transform?.llamaDeployment, {
      args: { ...object, metadata: { ...object.metadata, annotations } },
      options: {
        parent: this,
        provider: options.provider,
        protect: model.protect,
        customTimeouts: { create: timeout, update: timeout },
      },
    });
    this.llamaDeployment = new LlamaDeploymentResource(name, registration.args, registration.options);
    this.endpoint = output(this.llamaDeployment.status).apply((status) => status?.endpoint ?? "");
    this.registerOutputs({ endpoint: this.endpoint });
  }
}
