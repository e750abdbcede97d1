// The image by which the local cluster knows the operator: it is not published, and no registry is asked. Its containers
// run the operator of this checkout as a process, with the pod's ServiceAccount, arguments and address.
import { fileURLToPath } from "node:url";

export const operatorImage = "llama-operator.dev/local";

/** The entrypoint of that image. */
export const operatorProgram: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL("../src/cli/main.ts", import.meta.url)),
];

/** Values of the chart for a local cluster: all of its nodes have GPUs, and taints that keep others away. */
export const localChartValues = {
  operator: { image: operatorImage, tolerations: [{ operator: "Exists" }] },
} as const;
