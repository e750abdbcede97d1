// Volumes for weights, as objects that Pulumi and the rendered files share.
import type { VolumeConfiguration } from "../config/volume.ts";

export interface VolumeObject {
  readonly apiVersion: "v1";
  readonly kind: "PersistentVolumeClaim";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly accessModes: string[];
    readonly resources: { readonly requests: { readonly storage: string } };
    readonly storageClassName?: string;
  };
}

export function volumeObject({
  name,
  namespace,
  size,
  storageClass,
  accessModes,
}: VolumeConfiguration): VolumeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec: {
      accessModes: [...accessModes],
      resources: { requests: { storage: size } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    },
  };
}
