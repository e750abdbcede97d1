// The Kubernetes provider of the local engine as tests run it: it commits planned faults, and takes stand-ins for the
// charts of the network.

import grpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";

import { kubernetesProvider } from "../../local-engine/kubernetes-provider/service.ts";
import { servePlugin } from "../../local-engine/protocol/serve.ts";
import { providerService } from "../../local-engine/provider/service.ts";
import { chartsVariable, standInFor } from "../charts.ts";
import { faultsVariable } from "../faults.ts";
import { injectFaults } from "../inject-faults.ts";

const charts = process.env[chartsVariable];
const provider = providerService(
  kubernetesProvider(charts === undefined ? undefined : (chart) => standInFor(chart, charts)),
  injectFaults(process.env[faultsVariable]),
);
await servePlugin(grpc.ResourceProviderService, provider.service, () => provider.stop());
