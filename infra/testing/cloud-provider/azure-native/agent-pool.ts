// AKS agent pools. What the provider replaces by itself is less than what AKS cannot change: the rest the API refuses.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import { agentPoolRefusal } from "./agent-pool-refusals.ts";
import { locationOf } from "./cluster.ts";
import { alreadyThere, clusterId, types } from "./names.ts";
import { agentPoolNodes } from "./nodes.ts";

export const agentPool: CloudResource = {
  required: ["resourceGroupName", "resourceName"],
  nameInput: "agentPoolName",
  id: (inputs, cloud) => `${clusterId(inputs, cloud)}/agentPools/${textOf(inputs["agentPoolName"])}`,
  conflict: alreadyThere,
  // provider/pkg/gen/replacement.go of pulumi/pulumi-azure-native, and the path.
  replacing: [
    "resourceGroupName",
    "resourceName",
    "agentPoolName",
    "gpuInstanceProfile",
    "vmSize",
    "networkProfile.nodePublicIPTags",
  ],
  refusal: agentPoolRefusal,
  outputs: ({ inputs, serial }) => ({
    name: inputs["agentPoolName"] ?? "",
    currentOrchestratorVersion: inputs["orchestratorVersion"] ?? "",
    provisioningState: "Succeeded",
    eTag: objectTag(serial),
  }),
  nodes: (record, cloud) =>
    agentPoolNodes(record.inputs, {
      clusterId: clusterId(record.inputs, cloud),
      name: textOf(record.inputs["agentPoolName"]),
      location: locationIn(record, cloud),
    }),
};

const objectTag = (serial: number): string => `etag-${serial}`;

function locationIn({ inputs }: CloudRecord, cloud: CloudView): string {
  const of = cloud.find(types.cluster, clusterId(inputs, cloud));
  return locationOf(of?.inputs ?? {}, cloud);
}
