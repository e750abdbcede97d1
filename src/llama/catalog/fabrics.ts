// Networks between the GPUs of different nodes: what a pod must be allowed and given to use each.
// A wrong fabric never errors, it is only slow, so the needs are stated here and applied in one place.

/** The values of `GpuPool.spec.fabric.type`. */
export type FabricType = "none" | "efa" | "tcpx" | "tcpxo" | "infiniband" | "roce";

/** The levels of Kubernetes' Pod Security Standards, from the strictest to the loosest. */
export type PodSecurityLevel = "restricted" | "baseline" | "privileged";

/** A directory of the node that the fabric's user-space driver is reached through. */
export interface HostPath {
  readonly name: string;
  readonly path: string;
  /** Where the engine's container sees it. */
  readonly mountPath: string;
  readonly readOnly: boolean;
}

/** What the engine's container needs to use a fabric. */
export interface Fabric {
  readonly type: FabricType;
  /** The strictest level under which such a pod is admitted. */
  readonly podSecurity: PodSecurityLevel;
  /** Linux capabilities to add. IPC_LOCK pins the memory that RDMA registers; "baseline" already refuses it. */
  readonly capabilities: readonly string[];
  readonly hostPaths: readonly HostPath[];
  readonly env: Readonly<Record<string, string>>;
  /** What must be in the cluster for it to work; for messages. */
  readonly needs: string;
}

/** Plain TCP between nodes; no privilege at all. */
const none: Fabric = {
  type: "none",
  podSecurity: "restricted",
  capabilities: [],
  hostPaths: [],
  env: {},
  needs: "nothing",
};

/**
 * AWS Elastic Fabric Adapter. The device plugin hands the devices in, so no host path and no capability is
 * needed. Source: awslabs/awsome-distributed-training; AWS' EFA guide for Kubernetes.
 */
const efa: Fabric = {
  ...none,
  type: "efa",
  env: { FI_PROVIDER: "efa", FI_EFA_USE_DEVICE_RDMA: "1", NCCL_SOCKET_IFNAME: "^lo,docker" },
  needs: "the EFA device plugin, and an image with aws-ofi-nccl",
};

/**
 * GKE A3 High. The receive daemon is a sidecar that shares its socket and NCCL plugin with the engine through
 * the host. Source: GoogleCloudPlatform/cluster-toolkit, examples/gke-a3-highgpu.
 */
const tcpx: Fabric = {
  type: "tcpx",
  podSecurity: "privileged",
  capabilities: [],
  hostPaths: [
    { name: "tcpx-socket", path: "/run/tcpx", mountPath: "/run/tcpx", readOnly: false },
    { name: "tcpx-plugin", path: "/home/kubernetes/bin/tcpx", mountPath: "/usr/local/tcpx", readOnly: true },
  ],
  env: {
    NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX: "/run/tcpx",
    LD_LIBRARY_PATH: "/usr/local/nvidia/lib64:/usr/local/tcpx/lib64",
  },
  needs: "GPUDirect-TCPX: four further networks, the NCCL plugin and its receive daemon",
};

/** GKE A3 Mega. Source: docs.nvidia.com/aicr, GKE TCPXO networking; about 340 GB/s against 4 GB/s on TCP. */
const tcpxo: Fabric = {
  type: "tcpxo",
  podSecurity: "privileged",
  capabilities: [],
  hostPaths: [
    {
      name: "aperture-devices",
      path: "/dev/aperture_devices",
      mountPath: "/dev/aperture_devices",
      readOnly: false,
    },
    {
      name: "nvidia-libraries",
      path: "/home/kubernetes/bin/nvidia",
      mountPath: "/usr/local/nvidia",
      readOnly: true,
    },
  ],
  env: {
    NCCL_FASTRAK_LLCM_DEVICE_DIRECTORY: "/dev/aperture_devices",
    LD_LIBRARY_PATH: "/usr/local/nvidia/lib64",
  },
  needs: "GPUDirect-TCPXO: eight further networks, the NCCL plugin and its receive daemon",
};

/** InfiniBand. The network operator's device plugin hands the devices in. Source: NVIDIA Network Operator. */
const infiniband: Fabric = {
  type: "infiniband",
  podSecurity: "privileged",
  capabilities: ["IPC_LOCK"],
  hostPaths: [],
  env: { NCCL_IB_HCA: "mlx5" },
  needs: "an RDMA device plugin, such as the NVIDIA Network Operator's",
};

/** RDMA over Ethernet: GKE A3 Ultra and bare ConnectX. */
const roce: Fabric = {
  ...infiniband,
  type: "roce",
  env: { NCCL_IB_HCA: "mlx5", NCCL_IB_GID_INDEX: "3" },
};

/** Every fabric, by type. */
export const fabrics: Readonly<Record<FabricType, Fabric>> = {
  none,
  efa,
  tcpx,
  tcpxo,
  infiniband,
  roce,
};
