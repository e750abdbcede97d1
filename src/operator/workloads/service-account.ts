// The identity of the pods where the spec names none: no rights, no token. An engine has no business with the
// API server.
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { ownedMetadata } from "./metadata.ts";
import { serviceAccountName, type Owner } from "./names.ts";

export function serviceAccount(owner: Owner): IServiceAccount {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: ownedMetadata(owner, serviceAccountName(owner)),
    automountServiceAccountToken: false,
  };
}
