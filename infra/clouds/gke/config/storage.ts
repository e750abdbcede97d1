// Which volumes a GKE cluster of this stack gives.
import type { CloudStorage } from "../../cloud-rules.ts";

/**
 * Persistent disks are mounted by one node for writing. Google's classes of Filestore are there only where its driver is
 * on, and make shares in the network `default`, in which these clusters are not.
 * Sources: docs.cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes (access modes, default class) and
 * how-to/persistent-volumes/filestore-csi-driver (StorageClass, network).
 */
export const gkeStorage: CloudStorage = {
  owner: "GKE",
  defaultClass: "standard-rwo",
  classes: {
    standard: ["ReadWriteOnce"],
    "standard-rwo": ["ReadWriteOnce"],
    "premium-rwo": ["ReadWriteOnce"],
    "standard-rwx": [],
    "premium-rwx": [],
    "enterprise-rwx": [],
    "enterprise-multishare-rwx": [],
    "zonal-rwx": [],
  },
  shared:
    "storageClass: a class of your own of Filestore or Managed Lustre in the cluster's network, whose driver you have turned on",
};
