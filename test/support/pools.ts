// GPUs of a test's own: nodes with a label of their own, and a GpuPool that only the test's namespace may use, so
// that tests that run side by side do not take each other's.
import { onTestFinished } from "vitest";
import { clusterClient } from "../../local/cluster/client.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import { type CleanUp, kubectl, sharedCluster } from "./cluster.ts";
import { machineShape } from "./machine-shape.ts";

export interface TestPoolOptions {
  /** Default `a3-highgpu-8g`: eight H100 80GB. */
  readonly shape?: string;
  /** Default 1. */
  readonly nodes?: number;
  /** Merged into the spec of the GpuPool. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

const poolLabel = "test.llama-operator.dev/pool";

/** Nodes and a GpuPool for `namespace`, named after it. @returns the names of the nodes */
export async function testPool(
  namespace: string,
  options: TestPoolOptions = {},
  after: CleanUp = onTestFinished,
): Promise<readonly string[]> {
  const cluster = sharedCluster();
  const { shape: shapeName = "a3-highgpu-8g", nodes = 1, spec = {} } = options;
  const shape = machineShape(shapeName);
  await kubectl(cluster, ["label", "namespace", namespace, `${poolLabel}=${namespace}`]);
  await using connection = await clusterClient(cluster.kubeconfigPath);
  const names =
    nodes === 0
      ? []
      : await addNodes(connection.client, shape, nodes, { ...cluster, labels: { [poolLabel]: namespace } });
  const pool = {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "GpuPool",
    metadata: { name: namespace, labels: { [poolLabel]: namespace } },
    spec: {
      gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
      machineShape: shape.name,
      nodeSelector: { [poolLabel]: namespace },
      tolerations: [{ operator: "Exists" }],
      namespaceSelector: { matchLabels: { [poolLabel]: namespace } },
      ...spec,
    },
  };
  await kubectl(cluster, ["apply", "--server-side", "-f", "-"], JSON.stringify(pool));
  // The nodes stay: a new node of the same name would find the pods of its predecessor bound to it.
  after(async () => {
    await kubectl(cluster, ["delete", "gpupool", namespace, "--ignore-not-found"]);
  });
  return names;
}
