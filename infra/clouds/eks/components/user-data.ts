// What a node of Amazon Linux 2023 reads when it starts. EKS adds the cluster's part to it, and nodeadm joins both.

/**
 * The user data of a pool's nodes, base64; undefined where they need none. RAID 0 makes the NVMe disks one volume
 * that holds images, logs and pods: without it pods see the root volume alone.
 * Source: awslabs/amazon-eks-ami, nodeadm/doc/api.md (LocalStorageStrategy) and doc/usage (MIME parts).
 */
export function userData(localStorage: "raid0" | "none"): string | undefined {
  if (localStorage === "none") return undefined;
  return Buffer.from(nodeConfig.replaceAll("\n", "\r\n")).toString("base64");
}

const nodeConfig = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="NODE"

--NODE
Content-Type: application/node.eks.aws

apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0

--NODE--
`;
