// The one table of what is installed from charts, at which version and with which values.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { relative, join } from "node:path";

/** A chart at a version, and the release that is made of it. */
export interface AddOn {
  /** Name of the release. */
  readonly release: string;
  readonly chart:
    | { readonly kind: "oci"; readonly url: string }
    /** A repository of charts as Helm knew them before registries: its address, and the chart's name in it. */
    | { readonly kind: "helmRepository"; readonly url: string; readonly name: string }
    /** A folder of this repository, from its root. */
    | { readonly kind: "repository"; readonly path: string };
  readonly version: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const addOns = {
  /** The version that the local cluster builds (local/tools/lws), so the one that the tests know. */
  leaderWorkerSet: {
    release: "lws",
    chart: { kind: "oci", url: "oci://registry.k8s.io/lws/charts/lws" },
    version: "0.9.0",
    values: {},
  },
  /**
   * Makes NVIDIA's GPUs allocatable where a cloud's image brings the driver alone. It runs on nodes with the label
   * nvidia.com/gpu.present, and tolerates the taint nvidia.com/gpu.
   * Source: NVIDIA/k8s-device-plugin, deployments/helm/nvidia-device-plugin/values.yaml.
   */
  nvidiaDevicePlugin: {
    release: "nvidia-device-plugin",
    chart: {
      kind: "helmRepository",
      url: "https://nvidia.github.io/k8s-device-plugin",
      name: "nvidia-device-plugin",
    },
    version: "0.18.2",
    values: {},
  },
  /**
   * Makes network cards with EFA allocatable. By default it tolerates no taint of GPU nodes.
   * Source: aws/eks-charts, stable/aws-efa-k8s-device-plugin.
   */
  efaDevicePlugin: {
    release: "aws-efa-k8s-device-plugin",
    chart: {
      kind: "helmRepository",
      url: "https://aws.github.io/eks-charts",
      name: "aws-efa-k8s-device-plugin",
    },
    version: "v0.5.7",
    values: {
      nodeSelector: { "vpc.amazonaws.com/efa.present": "true" },
      tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
    },
  },
  /**
   * Brings driver, container toolkit and device plugin where a cloud installs none of them. Its driver is of the branch
   * R580, which has CUDA 13.0. The version that Azure documents for AKS.
   * Source: azure.github.io/aks-rdma-infiniband/configurations/gpu-drivers.
   */
  gpuOperator: {
    release: "gpu-operator",
    chart: { kind: "helmRepository", url: "https://helm.ngc.nvidia.com/nvidia", name: "gpu-operator" },
    version: "v25.10.0",
    values: {},
  },
  /**
   * Brings the driver and the device plugin of InfiniBand. A NicClusterPolicy says what it brings.
   * Source: NVIDIA/aicr, recipes/registry.yaml.
   */
  networkOperator: {
    release: "network-operator",
    chart: { kind: "helmRepository", url: "https://helm.ngc.nvidia.com/nvidia", name: "network-operator" },
    version: "26.4.1",
    values: {},
  },
  /** Of this repository: chart and sources belong together. */
  llamaOperator: {
    release: "llama-operator",
    chart: { kind: "repository", path: "charts/llama-operator" },
    version: "0.1.0",
    values: {},
  },
} as const satisfies Readonly<Record<string, AddOn>>;

export const {
  leaderWorkerSet,
  nvidiaDevicePlugin,
  efaDevicePlugin,
  gpuOperator,
  networkOperator,
  llamaOperator,
}: Readonly<Record<keyof typeof addOns, AddOn>> = addOns;

/** Namespace that LeaderWorkerSet's own installation guide uses. */
export const leaderWorkerSetNamespace = "lws-system";

const repositoryRoot = join(import.meta.dirname, "..");

/** What Helm takes as a chart. A path is relative to `directory`: absolute ones would differ from checkout to checkout. */
export function chartReference({ chart }: AddOn, directory: string): string {
  switch (chart.kind) {
    case "oci":
      return chart.url;
    case "helmRepository":
      return chart.name;
    case "repository":
      return relative(directory, join(repositoryRoot, chart.path));
    default:
      return chart satisfies never;
  }
}

/**
 * SHA-256 of what a chart of this repository holds: names and contents of its files. Pulumi's Helm release and Flux
 * compare charts by their version alone, which stays while sources go on; a chart from elsewhere is as its version says.
 */
export function chartDigest({ chart }: AddOn): string | undefined {
  if (chart.kind !== "repository") return undefined;
  const folder = join(repositoryRoot, chart.path);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
