// Whether the stack's volumes hold the checkpoints of the models that read them, and let all of their nodes do so.
import { quantityValue } from "@llama-operator/llama/planning";
import type { ModelConfiguration } from "../config/model.ts";
import type { VolumeConfiguration } from "../config/volume.ts";
import { nameOf } from "./placed-model.ts";
import type { PlacedModel, RefusedModel } from "./placed-model.ts";

const gibibyte = 2 ** 30;

/** What is wrong with the stack's volumes. A claim that the stack does not make is its owner's to size. */
export function volumeProblems(
  volumes: readonly VolumeConfiguration[],
  readers: readonly PlacedModel[],
): readonly RefusedModel[] {
  return volumes.flatMap((volume, index) => {
    const reading = readers.filter(
      (reader) => claimOf(reader) === volume.name && reader.model.namespace === volume.namespace,
    );
    return [...sizeProblems(volume, index, reading), ...accessProblems(volume, index, reading)];
  });
}

/** Whether a model reads a volume that the stack makes: empty until a Job or a person has filled it. */
export function readsVolume(
  { namespace, spec }: ModelConfiguration,
  volumes: readonly VolumeConfiguration[],
): boolean {
  const claim = spec.model.source?.persistentVolumeClaim?.claimName;
  return volumes.some((volume) => volume.name === claim && volume.namespace === namespace);
}

function claimOf({ plan: { weights } }: PlacedModel): string | undefined {
  return weights.source.kind === "persistentVolumeClaim" ? weights.source.claimName : undefined;
}

/** Models that read the same path share its bytes. */
function sizeProblems(
  volume: VolumeConfiguration,
  index: number,
  readers: readonly PlacedModel[],
): readonly RefusedModel[] {
  const byPath = new Map(
    readers.map((reader) => {
      const { source, totalBytes } = reader.plan.weights;
      return [
        source.kind === "persistentVolumeClaim" ? (source.path ?? "") : "",
        { reader, totalBytes },
      ] as const;
    }),
  );
  const checkpoints = [...byPath.values()];
  const neededBytes = checkpoints.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  const largest = checkpoints.toSorted((one, other) => other.totalBytes - one.totalBytes)[0];
  if (largest === undefined || neededBytes <= (quantityValue(volume.size) ?? 0)) return [];
  const what =
    checkpoints.length === 1 ? "its checkpoint takes" : `the ${checkpoints.length} checkpoints on it take`;
  return [
    {
      model: nameOf(largest.reader.model),
      message: `volume ${volume.namespace}/${volume.name} of ${volume.size} is too small: ${what} ${(neededBytes / gibibyte).toFixed(1)} GiB. What would work: volumes[${index}].size ${Math.ceil(neededBytes / gibibyte)}Gi`,
    },
  ];
}

/** A volume that one node alone may mount serves one replica on one node. */
function accessProblems(
  volume: VolumeConfiguration,
  index: number,
  readers: readonly PlacedModel[],
): readonly RefusedModel[] {
  if (volume.accessModes.some((mode) => mode !== "ReadWriteOnce")) return [];
  const nodes = readers.reduce((sum, { model, plan }) => sum + model.spec.replicas * plan.nodesPerReplica, 0);
  const [first] = readers;
  if (first === undefined || nodes <= 1) return [];
  return [
    {
      model: nameOf(first.model),
      message: `volume ${volume.namespace}/${volume.name} is mounted by one node at a time (ReadWriteOnce), and its models may take ${nodes}. What would work: volumes[${index}].accessModes [ReadWriteMany] or [ReadOnlyMany], and a storageClass that has it`,
    },
  ];
}
