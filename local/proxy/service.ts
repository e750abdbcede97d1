// Services as the proxy reads them.
import type { IService } from "kubernetes-models/v1/Service";
import type { KubeObject, Live } from "../../src/kube/object.ts";
import { resourceType } from "../../src/kube/resource.ts";

export type ServiceObject = KubeObject & { spec?: IService["spec"] };
export type Service = Live<ServiceObject>;

export const serviceType = resourceType<ServiceObject>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
});
