// Many operators on one cluster, none of which knows of another: each sees a world of its own, a namespace with nodes
// and a GpuPool that nobody else is shown. So dozens of faults are tried at the same time.
import { resourceType } from "../../../src/kube-runtime/client/resource.ts";
import { gpuPools } from "../../../src/llama/api/resources.ts";
import { addNodes, nodeType } from "../../../local/cluster/nodes.ts";
import { namespaces } from "../../../src/operator/observed/kinds.ts";
import type { HttpKubeClient } from "../../../src/kube-runtime/connection/http/http-client.ts";
import type { ApiHandler } from "../../support/api-server-proxy.ts";
import { machineShape } from "../../support/machine-shape.ts";

/** A namespace, also the name of its GpuPool, and how many nodes it has. */
export interface World {
  readonly namespace: string;
  readonly nodes: number;
}

const poolLabel = "test.llama-operator.dev/world";
const fieldManager = "faults-test";

/** Makes the namespaces, nodes of eight H100 each, and pools. */
export async function makeWorlds(
  client: HttpKubeClient,
  addressBlock: string,
  worlds: readonly World[],
): Promise<void> {
  const shape = machineShape("a3-highgpu-8g");
  const owners = worlds.flatMap(({ namespace, nodes }) => Array.from({ length: nodes }, () => namespace));
  const names = await addNodes(client, shape, owners.length, { addressBlock });
  await Promise.all(
    owners.map(async (namespace, index) =>
      client.mergePatch(
        nodeType,
        { name: names[index] ?? "" },
        { metadata: { labels: { [poolLabel]: namespace } } },
      ),
    ),
  );
  await Promise.all(
    worlds.map(async ({ namespace }) => {
      const metadata = { name: namespace };
      await client.apply(namespaces, { apiVersion: "v1", kind: "Namespace", metadata }, { fieldManager });
      const spec = {
        gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
        machineShape: shape.name,
        nodeSelector: { [poolLabel]: namespace },
        tolerations: [{ operator: "Exists" }],
      };
      const pool = { apiVersion: "llama-operator.dev/v1alpha1", kind: "GpuPool", metadata, spec };
      await client.apply(resourceType(gpuPools), pool, { fieldManager });
    }),
  );
}

/** Shows a client one world instead of the cluster: its lists and watches of everything become those of the world. */
export function confinedTo({ namespace }: World, next: ApiHandler): ApiHandler {
  return async (request) => next({ ...request, path: confinedPath(request.path, namespace) });
}

const collection = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/([a-z]+)$/;

function confinedPath(path: string, namespace: string): string {
  const url = new URL(path, "http://api");
  const [, group = "", plural = ""] = collection.exec(url.pathname) ?? [];
  switch (plural) {
    case "":
    // The same for everybody.
    case "priorityclasses":
      return path;
    case "nodes":
      url.searchParams.set("labelSelector", `${poolLabel}=${namespace}`);
      break;
    case "gpupools":
    case "namespaces":
      url.searchParams.set("fieldSelector", `metadata.name=${namespace}`);
      break;
    default:
      url.pathname = `${group}/namespaces/${namespace}/${plural}`;
  }
  return url.pathname + url.search;
}
