// The CustomResourceDefinitions of all kinds, from their zod schemas: what the chart installs, what
// `llama-operator crds` prints and what tests apply. `kubectl explain` shows the descriptions.
import type { z } from "zod";
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

/** What the CRDs of two kinds differ in. */
interface KindDefinition {
  readonly resource: typeof llamaDeployments | typeof gpuPools;
  readonly names: Pick<CustomResourceDefinition["spec"]["names"], "shortNames" | "categories">;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** Rules about the whole object. */
  readonly rules?: Parameters<typeof celValidations>[0];
  readonly scale?: NonNullable<CustomResourceDefinition["spec"]["versions"][0]["subresources"]["scale"]>;
  readonly columns: readonly PrinterColumn[];
}

/** Every kind, in the order in which to apply them. */
const kinds: readonly KindDefinition[] = [
  {
    resource: llamaDeployments,
    names: { shortNames: ["llama", "llamas"], categories: ["all", "llama-operator"] },
    description:
      "A Llama model to serve. The operator works out how it fits the cluster's GPUs, runs it, and says in status where it answers.",
    spec: llamaDeploymentSpec,
    status: llamaDeploymentStatus,
    rules: [deploymentNameRule],
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
    columns: llamaDeploymentColumns,
  },
  {
    resource: gpuPools,
    names: { shortNames: ["gpool"], categories: ["llama-operator"] },
    description:
      "A pool of like GPU nodes that models may run on, and what is known of its nodes before one is there.",
    spec: gpuPoolSpec,
    status: gpuPoolStatus,
    columns: gpuPoolColumns,
  },
];

/** The CRDs of all kinds, in the order in which to apply them. */
export function customResourceDefinitions(): readonly CustomResourceDefinition[] {
  return kinds.map(customResourceDefinition);
}

function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { resource, names, description, spec, status, rules, scale, columns } = definition;
  const { group, version, kind, plural, namespaced } = resource;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? "Namespaced" : "Cluster",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...names },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              ...rootSchema(description, structuralSchema(spec), structuralSchema(status)),
              ...(rules && { "x-kubernetes-validations": celValidations(rules) }),
            },
          },
          subresources: { status: {}, ...(scale && { scale }) },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
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
