// The CustomResourceDefinitions of the two kinds, from their zod schemas: what the chart installs, what
// `llama-operator crds` prints and what tests apply. `kubectl explain` shows the descriptions.
import { gpuPoolSpec, gpuPoolStatus } from "./gpu-pool.ts";
import { deploymentNameRule, llamaDeploymentSpec, llamaDeploymentStatus } from "./llama-deployment.ts";
import { gpuPoolColumns, llamaDeploymentColumns, type PrinterColumn } from "./printer-columns.ts";
import { gpuPools, llamaDeployments } from "./resources.ts";
import { celValidations } from "./schema.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";

/** A CustomResourceDefinition of one version, limited to the fields that the kinds use. */
export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: "Namespaced" | "Cluster";
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly [
      {
        readonly name: string;
        readonly served: true;
        readonly storage: true;
        readonly schema: { readonly openAPIV3Schema: StructuralSchema };
        readonly subresources: {
          readonly status: Readonly<Record<string, never>>;
          readonly scale?: {
            readonly specReplicasPath: string;
            readonly statusReplicasPath: string;
            readonly labelSelectorPath: string;
          };
        };
        readonly additionalPrinterColumns: readonly PrinterColumn[];
      },
    ];
  };
}

/** The CRD of LlamaDeployment. */
export function llamaDeploymentCrd(): CustomResourceDefinition {
  const { group, version, kind, plural } = llamaDeployments;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: "llamadeployment",
        shortNames: ["llama", "llamas"],
        categories: ["all", "llama-operator"],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              ...rootSchema(
                "A Llama model to serve. The operator works out how it fits the cluster's GPUs, runs it, and says in status where it answers.",
                structuralSchema(llamaDeploymentSpec),
                structuralSchema(llamaDeploymentStatus),
              ),
              "x-kubernetes-validations": celValidations([deploymentNameRule]),
            },
          },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: ".spec.replicas",
              statusReplicasPath: ".status.replicas",
              labelSelectorPath: ".status.selector",
            },
          },
          additionalPrinterColumns: llamaDeploymentColumns,
        },
      ],
    },
  };
}

/** The CRD of GpuPool. */
export function gpuPoolCrd(): CustomResourceDefinition {
  const { group, version, kind, plural } = gpuPools;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Cluster",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: "gpupool",
        shortNames: ["gpool"],
        categories: ["llama-operator"],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: rootSchema(
              "A pool of like GPU nodes that models may run on, and what is known of its nodes before one is there.",
              structuralSchema(gpuPoolSpec),
              structuralSchema(gpuPoolStatus),
            ),
          },
          subresources: { status: {} },
          additionalPrinterColumns: gpuPoolColumns,
        },
      ],
    },
  };
}

/** Both CRDs, in the order in which to apply them. */
export function customResourceDefinitions(): readonly CustomResourceDefinition[] {
  return [llamaDeploymentCrd(), gpuPoolCrd()];
}

function rootSchema(description: string, spec: StructuralSchema, status: StructuralSchema): StructuralSchema {
  return {
    type: "object",
    description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec: { ...spec, description: "What is wanted." },
      // kstatus takes an object without status for finished; -1 never equals a generation, so it waits.
      status: {
        ...status,
        description: "What the operator found and did.",
        default: { observedGeneration: -1 },
      },
    },
  };
}
