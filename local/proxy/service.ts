// Services as the proxy reads them.
import type { IService } from "kubernetes-models/v1/Service";
import { type KubeObject, type Live, resourceType } from "@llama-operator/kube-runtime/client";

export type ServiceObject = KubeObject & { spec?: IService["spec"] };
export type Service = Live<ServiceObject>;

export const serviceType = resourceType<ServiceObject>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
});
