// The Service that applications call: every serving pod of every revision, ready ones only.
import type { IService } from "kubernetes-models/v1/Service";
import { servingPods } from "./labels.ts";
import { ownedMetadata } from "./metadata.ts";
import { serviceName, type Owner } from "./names.ts";

export function service(owner: Owner): IService {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMetadata(owner, serviceName(owner)),
    spec: {
      type: "ClusterIP",
      selector: servingPods(owner.name),
      ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "http" }],
    },
  };
}
