// The platform of a stack on Google Kubernetes Engine.
import { RunError } from "@pulumi/pulumi";
import type { CloudProgram } from "./cloud-platform.ts";

export const gkePlatform: CloudProgram<"gke"> = async () =>
  Promise.reject(new RunError("cluster.kind: gke can be planned for, but not made yet"));
