// The volumes of a pod: the root file system is read-only, so whatever is written or shared has a volume.
import type { IVolume } from "kubernetes-models/v1/Volume";
import type { IVolumeMount } from "kubernetes-models/v1/VolumeMount";
import type { EngineContainer } from "@llama-operator/llama/engines";
import type { Plan } from "@llama-operator/llama/planning";
import { byteQuantity } from "./quantity.ts";
import { fabricOf } from "../security.ts";

/** Where a PersistentVolumeClaim with weights is mounted, read-only. */
const weightsDirectory = "/models";

/** Folder of the checkpoint in the container, or `undefined` where the engine fetches it. */
export function modelPathOf({ source }: Plan["weights"]): string | undefined {
  if (source.kind !== "persistentVolumeClaim") return undefined;
  return source.path === undefined ? weightsDirectory : `${weightsDirectory}/${source.path}`;
}

interface Mounted {
  readonly volume: IVolume;
  readonly mount: IVolumeMount;
}

/** Volumes of the pod and their mounts in the engine's container, in the same order. */
export function volumesOf(
  plan: Plan,
  writablePaths: EngineContainer["writablePaths"],
): { volumes: IVolume[]; volumeMounts: IVolumeMount[] } {
  const mounted = [
    sharedMemory(plan),
    ...writablePaths.map(scratch),
    ...claim(plan),
    ...fabricOf(plan).hostPaths.map(({ name, path, readOnly }): Mounted => ({
      volume: { name, hostPath: { path } },
      mount: { name, mountPath: path, ...(readOnly ? { readOnly } : {}) },
    })),
  ];
  return {
    volumes: mounted.map(({ volume }) => volume),
    volumeMounts: mounted.map(({ mount }) => mount),
  };
}

/** Ranks of one pod exchange tensors through /dev/shm; a container's own has 64 MiB. */
export function sharedMemory({ pod }: Pick<Plan, "pod">): Mounted {
  const name = "shared-memory";
  return {
    volume: { name, emptyDir: { medium: "Memory", sizeLimit: byteQuantity(pod.sharedMemoryBytes) } },
    mount: { name, mountPath: "/dev/shm" },
  };
}

/** Unbounded by itself: the container's ephemeral-storage limit counts every scratch volume of the pod. */
function scratch(path: string): Mounted {
  const name = path.slice(1).replaceAll("/", "-");
  return { volume: { name, emptyDir: {} }, mount: { name, mountPath: path } };
}

function claim({ weights: { source } }: Plan): readonly Mounted[] {
  if (source.kind !== "persistentVolumeClaim") return [];
  const name = "weights";
  return [
    {
      volume: { name, persistentVolumeClaim: { claimName: source.claimName, readOnly: true } },
      mount: { name, mountPath: weightsDirectory, readOnly: true },
    },
  ];
}
