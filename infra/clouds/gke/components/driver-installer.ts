// Google's own installer of NVIDIA's driver for nodes that keep GKE's device plugin away: GKE installs its driver by an
// init container of that very DaemonSet, so that such nodes have none.
// Sources: NVIDIA/aicr recipes/overlays/gke-cos.yaml and pull request 2047; GoogleCloudPlatform/
// container-engine-accelerators nvidia-driver-installer/cos/daemonset-preloaded.yaml, which this is without the
// partitioning of GPUs (MIG); docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/google-gke.html.
import type { DaemonSetArgs } from "@pulumi/kubernetes/apps/v1/daemonSet.js";

/** Where Container-Optimized OS has what the driver consists of. */
export const driverFolder = "/home/kubernetes/bin/nvidia";

/** Keeps GKE's device plugin, and with it GKE's driver, away from a node. */
export const noPluginLabel = "gke-no-default-nvidia-gpu-device-plugin";

const name = "nvidia-driver-installer";

/** What the installer sees of the node: name of the volume, folder of the node, folder in the installer. */
const folders = [
  ["dev", "/dev", "/dev"],
  ["root-mount", "/", "/root"],
  ["nvidia-install-dir-host", driverFolder, "/usr/local/nvidia"],
  ["vulkan-icd-mount", `${driverFolder}/vulkan/icd.d`, "/etc/vulkan/icd.d"],
  ["cos-tools", "/var/lib/cos-tools", "/build/cos-tools"],
] as const;

const environment = {
  NVIDIA_INSTALL_DIR_HOST: driverFolder,
  NVIDIA_INSTALL_DIR_CONTAINER: "/usr/local/nvidia",
  VULKAN_ICD_DIR_HOST: `${driverFolder}/vulkan/icd.d`,
  VULKAN_ICD_DIR_CONTAINER: "/etc/vulkan/icd.d",
  ROOT_MOUNT_DIR: "/root",
  COS_TOOLS_DIR_HOST: "/var/lib/cos-tools",
  COS_TOOLS_DIR_CONTAINER: "/build/cos-tools",
} as const;

/** The DaemonSet; the image is on every node of GKE already, and installs the driver that belongs to that node's image. */
export function driverInstaller(): DaemonSetArgs {
  const labels = { "k8s-app": name };
  return {
    metadata: { name, namespace: "kube-system", labels },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: "RollingUpdate" },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: "system-node-critical",
          nodeSelector: { [noPluginLabel]: "true" },
          tolerations: [{ operator: "Exists" }],
          hostNetwork: true,
          hostPID: true,
          volumes: folders.map(([volume, path]) => ({ name: volume, hostPath: { path } })),
          initContainers: [
            {
              name,
              image: "cos-nvidia-installer:fixed",
              imagePullPolicy: "Never",
              resources: { requests: { cpu: "150m" } },
              securityContext: { privileged: true },
              env: Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
              volumeMounts: folders.map(([volume, , mountPath]) => ({ name: volume, mountPath })),
            },
          ],
          containers: [{ name: "pause", image: "registry.k8s.io/pause:3.10" }],
        },
      },
    },
  };
}
