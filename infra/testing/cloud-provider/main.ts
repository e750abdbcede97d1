// Stands for the providers of the clouds, which cannot be installed as modules: it speaks the engine's own protocol, keeps
// what is there in a file (store.ts), and lets each pool be nodes of the local cluster, whose API server stands for
// that of every managed cluster. What each type takes, refuses, replaces and gives is in the cloud's table.
//
// It differs from the real providers in that it
// - answers at once, where clouds take minutes, and never of itself with what a cloud may run out of: faults are planned;
// - compares inputs with the inputs before: no defaults of the cloud, no normalizing, no drift but what a test makes;
// - checks what is required and what its table refuses, and no other value; types are the compiler's to check;
// - makes no machines: nodes join with the labels and taints of their cloud, and their devices as devices.ts says.

import grpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";

import { faultsVariable } from "../faults.ts";
import { injectFaults } from "../inject-faults.ts";
import { servePlugin } from "../../local-engine/protocol/serve.ts";
import { providerService } from "../../local-engine/provider/service.ts";
import type { CloudTable } from "./cloud.ts";
import { cloudProvider } from "./service.ts";

const tables: Readonly<Record<string, () => Promise<CloudTable>>> = {
  gcp: async () => (await import("./gcp.ts")).gcp,
  aws: async () => (await import("./aws.ts")).aws,
  "azure-native": async () => (await import("./azure-native.ts")).azureNative,
};

const name = process.argv[2] ?? "";
const load = tables[name];
if (load === undefined) throw new Error(`there is no double of a provider ${name}`);
const provider = providerService(cloudProvider(await load()), injectFaults(process.env[faultsVariable]));
await servePlugin(grpc.ResourceProviderService, provider.service, () => provider.stop());
