// The images by which the local cluster knows the operator: they are not published, and no registry is asked. Their
// containers run the operator of this checkout as a process, with the pod's ServiceAccount, arguments and address.
import { fileURLToPath } from "node:url";

export const operatorImage = "llama-operator.dev/local";

/** What the chart runs where no image is named; with the tag of any version. */
const chartImage = "llama-operator.dev/llama-operator";

export const operatorImages: readonly string[] = [operatorImage, chartImage];

/** The entrypoint of these images. */
export const operatorProgram: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL("../src/cli/main.ts", import.meta.url)),
];

/** Values of the chart for a local cluster whose nodes all have GPUs, and taints that keep others away. */
export const localChartValues = {
  operator: { image: operatorImage, tolerations: [{ operator: "Exists" }] },
} as const;
