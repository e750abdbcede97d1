// What every object made for a LlamaDeployment carries: whose it is, and the labels to find it by.
import { apiGroupVersion } from "@llama-operator/llama/api";
import { objectLabels } from "./labels.ts";
import type { Owner } from "./names.ts";

/** `metadata.ownerReferences[]`: deletion of the LlamaDeployment takes the object with it. */
interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: true;
  blockOwnerDeletion: true;
}

export interface OwnedMetadata {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  ownerReferences: OwnerReference[];
}

/** Metadata of the object `name`, controlled by `owner`. */
export function ownedMetadata(
  owner: Owner,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): OwnedMetadata {
  return {
    name,
    namespace: owner.namespace,
    labels: { ...objectLabels(owner.name), ...labels },
    ownerReferences: [
      {
        apiVersion: apiGroupVersion,
        kind: "LlamaDeployment",
        name: owner.name,
        uid: owner.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
