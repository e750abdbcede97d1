// The platform of a stack on Azure Kubernetes Service.
import { RunError } from "@pulumi/pulumi";
import type { CloudProgram } from "./cloud-platform.ts";

export const aksPlatform: CloudProgram<"aks"> = async () =>
  Promise.reject(new RunError("cluster.kind: aks can be planned for, but not made yet"));
