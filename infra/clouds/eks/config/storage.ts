// Which volumes an EKS cluster of this stack gives.
import type { CloudStorage } from "../../cloud-rules.ts";

/**
 * The driver of EBS is there as an add-on, and makes the default class; `gp2` is EKS' own. A disk of EBS is mounted by one
 * node. Sources: docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html; kubernetes-sigs/aws-ebs-csi-driver
 * docs/parameters.md and charts/aws-ebs-csi-driver (defaultStorageClass).
 */
export const eksStorage: CloudStorage = {
  owner: "EKS",
  defaultClass: "ebs-csi-default-sc",
  classes: { "ebs-csi-default-sc": ["ReadWriteOnce"], gp2: ["ReadWriteOnce"] },
  shared: "storageClass: a class of EFS or of FSx for Lustre, whose driver you have installed in the cluster",
};
