// The operator's kinds on a cluster of the tests.
import { customResourceDefinitions } from "../../src/llama/api/crd.ts";
import { type ProvidedCluster, kubectl } from "./cluster.ts";

/** Installs the CRDs as they are in the sources and waits until they are served; may be called by many at once. */
export async function installKinds(cluster: Pick<ProvidedCluster, "kubectl">): Promise<void> {
  const crds = customResourceDefinitions();
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: crds });
  await kubectl(cluster, ["apply", "--server-side", "-f", "-"], list);
  const names = crds.map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl(cluster, ["wait", "--for=condition=Established", ...names, "--timeout=30s"]);
}
