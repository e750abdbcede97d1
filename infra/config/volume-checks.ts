// Whether a cloud's cluster can give the volumes that a stack asks for. A claim that no class can serve is taken, and
// stays pending for ever, with everything that waits for its weights.
import type { CloudStorage } from "../clouds/cloud-rules.ts";
import type { ConfigurationProblem } from "./problem.ts";
import type { VolumeConfiguration } from "./volume.ts";

/** What is wrong with volumes; of those that could not be read, and of classes of a person's own, nothing is said. */
export function volumeClassProblems(
  volumes: readonly (VolumeConfiguration | undefined)[],
  { owner, defaultClass, classes, shared }: CloudStorage,
): readonly ConfigurationProblem[] {
  return volumes.flatMap((volume, index) => {
    if (volume === undefined) return [];
    const { storageClass = defaultClass, accessModes } = volume;
    const known = Object.hasOwn(classes, storageClass) ? classes[storageClass] : undefined;
    if (known === undefined) return [];
    const without = accessModes.filter((mode) => !known.includes(mode));
    if (without.length === 0) return [];
    const which = volume.storageClass === undefined ? "default class" : "class";
    if (known.length === 0) {
      return [
        {
          path: `volumes[${index}].storageClass`,
          message: `${owner}'s ${which} ${storageClass} gives no volume in a cluster of this stack: write ${shared}`,
        },
      ];
    }
    return [
      {
        path: `volumes[${index}].accessModes`,
        message: `a volume of ${owner}'s ${which} ${storageClass} is mounted by one node at a time, and never with ${without.join(", ")}: write [${known.join(", ")}] for one replica on one node, or ${shared}`,
      },
    ];
  });
}
