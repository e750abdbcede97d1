// Stands for the Kubernetes provider, which cannot be installed as a module: it speaks the engine's own protocol and makes
// what it is asked for on a real API server, with real Helm. Written after the behaviour of pulumi-kubernetes 4.34.
//
// As there: objects are made by a creation, which fails where one exists (since 4.29) unless upsertExistingObjects;
// changed by server-side apply with a field manager of the resource; replaced where the table says so, deleted first
// when the name stays; awaited by kind and by pulumi.com/waitFor, skipAwait, timeoutSeconds; gone when a delete returns.
// It differs from the real one in that it
// - compares inputs with the inputs before, where that one compares with the live object after normalizing both;
// - leaves all validation to the API server, which a preview asks by a dry run;
// - does not wait for a Service's endpoints, an Ingress's address or a volume claim's binding;
// - knows no client-side apply, patch resources, remote components (yaml.v2, helm.v4, kustomize.v2), YAML rendering,
//   parameterized packages and invokes;
// - runs the Helm on the PATH, a release's valueYamlFiles, postrender and verify left out.

import grpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";

import { servePlugin } from "../protocol/serve.ts";
import { providerService } from "../provider/service.ts";
import { kubernetesProvider } from "./service.ts";

const provider = providerService(kubernetesProvider());
await servePlugin(grpc.ResourceProviderService, provider.service, () => provider.stop());
