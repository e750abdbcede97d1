// What NVIDIA's charts are told on AKS: where the GPUs are, which taints lie there, and who brings the driver.
import { gpuTaint, infinibandResource, spotTaint } from "../config/facts.ts";

/** Every taint that the stack's GPU nodes can have. */
const tolerations = [gpuTaint, spotTaint].map((taint) => ({ ...taint, operator: "Equal" }));

/** AKS' label of nodes with NVIDIA's GPUs. Source: learn.microsoft.com/azure/aks/use-labels. */
const gpuNodes = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        {
          matchExpressions: [{ key: "kubernetes.azure.com/accelerator", operator: "In", values: ["nvidia"] }],
        },
      ],
    },
  },
} as const;

/** Of the device plugin alone, where AKS installs the driver. It needs no label of feature discovery then. */
export const devicePluginValues = { affinity: gpuNodes, tolerations } as const;

/** Feature discovery runs where the GPUs are; the system pool has nothing to discover. */
const featureDiscovery = {
  worker: {
    tolerations,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [{ key: "kubernetes.azure.com/mode", operator: "NotIn", values: ["system"] }],
            },
          ],
        },
      },
    },
  },
} as const;

/**
 * Of the GPU Operator, which brings the driver. With InfiniBand it loads nvidia-peermem, and leaves feature discovery to
 * the network operator. Source: Azure/aks-rdma-infiniband, configs/values/gpu-operator/values.yaml.
 */
export function gpuOperatorValues(infiniband: boolean): Readonly<Record<string, unknown>> {
  return {
    daemonsets: { tolerations },
    driver: { enabled: true, rdma: { enabled: infiniband } },
    nfd: { enabled: !infiniband },
    "node-feature-discovery": featureDiscovery,
    migManager: { enabled: false },
    vgpuDeviceManager: { enabled: false },
    vfioManager: { enabled: false },
    sandboxDevicePlugin: { enabled: false },
  };
}

/** Of the network operator. Its own rules do not know the virtual cards of Azure's machines: see infinibandRule. */
export const networkOperatorValues = {
  nfd: { enabled: true, deployNodeFeatureRules: false },
  "node-feature-discovery": featureDiscovery,
} as const;

/** Label of nodes that have Mellanox cards. */
const cardLabel = "feature.node.kubernetes.io/pci-15b3.present";

/**
 * Tells feature discovery the virtual functions of ConnectX-6 (101c) and later (101e), as which Azure's machines see
 * their InfiniBand cards. Source: NVIDIA/aicr, recipes/components/network-operator/manifests/nfd-network-rule.yaml.
 */
export const infinibandRule = {
  apiVersion: "nfd.k8s-sigs.io/v1alpha1",
  kind: "NodeFeatureRule",
  metadata: { name: "infiniband" },
  spec: {
    rules: [
      {
        name: "infiniband",
        labels: { [cardLabel]: "true" },
        matchFeatures: [
          {
            feature: "pci.device",
            matchExpressions: {
              vendor: { op: "In", value: ["15b3"] },
              device: { op: "In", value: ["101c", "101e"] },
            },
          },
        ],
      },
    ],
  },
} as const;

/**
 * The driver of the cards, and a plugin that gives a pod all of them at once. Versions and the variable are of NVIDIA/aicr,
 * recipes/components/network-operator/manifests/nic-cluster-policy-aks.yaml; the plugin's configuration is of
 * Azure/aks-rdma-infiniband, configs/nicclusterpolicy/rdma-shared-device-plugin.
 */
export const nicClusterPolicy = {
  apiVersion: "mellanox.com/v1alpha1",
  kind: "NicClusterPolicy",
  metadata: { name: "nic-cluster-policy" },
  spec: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: cardLabel, operator: "In", values: ["true"] }] }],
      },
    },
    tolerations,
    ofedDriver: {
      repository: "nvcr.io/nvidia/mellanox",
      image: "doca-driver",
      version: "doca3.2.0-25.10-1.2.8.0-2",
      env: [
        {
          name: "OFED_BLACKLIST_MODULES_FILE",
          value: "/host/etc/modprobe.d/blacklist-ofed-modules.conf",
        },
      ],
      forcePrecompiled: false,
      // A new driver would empty nodes of their models: it comes with the nodes that an upgrade makes anew.
      upgradePolicy: { autoUpgrade: false },
      startupProbe: { initialDelaySeconds: 10, periodSeconds: 20 },
      livenessProbe: { initialDelaySeconds: 30, periodSeconds: 30 },
      readinessProbe: { initialDelaySeconds: 10, periodSeconds: 30 },
    },
    rdmaSharedDevicePlugin: {
      repository: "nvcr.io/nvidia/mellanox",
      image: "k8s-rdma-shared-dev-plugin",
      version: "network-operator-v26.4.1",
      config: JSON.stringify({
        configList: [
          {
            resourcePrefix: infinibandResource.prefix,
            resourceName: infinibandResource.name,
            rdmaHcaMax: infinibandResource.podsPerNode,
            selectors: { vendors: ["15b3"], linkTypes: ["infiniband"] },
          },
        ],
      }),
    },
  },
} as const;
