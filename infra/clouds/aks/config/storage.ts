// Which volumes an AKS cluster gives. Its drivers of Azure Disk and Azure Files are always there.
import type { AccessMode, CloudStorage } from "../../cloud-rules.ts";

const disk = ["ReadWriteOnce"] as const satisfies readonly AccessMode[];
const share = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"] as const satisfies readonly AccessMode[];

/** Source: learn.microsoft.com/azure/aks/concepts-storage, Storage classes and Persistent volumes. */
export const aksStorage: CloudStorage = {
  owner: "AKS",
  defaultClass: "default",
  classes: {
    default: disk,
    managed: disk,
    "managed-csi": disk,
    "managed-premium": disk,
    "managed-csi-premium": disk,
    azurefile: share,
    "azurefile-csi": share,
    "azurefile-premium": share,
    "azurefile-csi-premium": share,
  },
  shared: "storageClass: azurefile-csi-premium",
};
