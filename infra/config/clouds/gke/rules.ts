// What Google Kubernetes Engine brings to the configuration.
import { findMachineShape } from "../../../../src/catalog/machine-shapes.ts";
import type { CloudRules } from "../cloud.ts";
import { gkeCluster } from "./cluster.ts";
import type { GkeCluster } from "./cluster.ts";
import { gkePool } from "./pool.ts";
import type { GkePool } from "./pool.ts";

export const gkeRules: CloudRules<GkeCluster, GkePool> = {
  cluster: gkeCluster,
  pool: gkePool,
  problems: () => [],
  gpuPool({ name, machineShape }) {
    const shape = findMachineShape(machineShape);
    if (shape === undefined) return undefined;
    return {
      gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
      machineShape,
      nodeSelector: { "cloud.google.com/gke-nodepool": name },
    };
  },
};
