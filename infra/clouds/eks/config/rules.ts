// What Elastic Kubernetes Service brings to the configuration.
import type { CloudRules } from "../../cloud-rules.ts";
import { eksProblems } from "./checks.ts";
import { eksCluster } from "./cluster.ts";
import type { EksCluster } from "./cluster.ts";
import { eksGpuPool } from "./facts.ts";
import { eksPool } from "./pool.ts";
import type { EksPool } from "./pool.ts";
import { eksStorage } from "./storage.ts";

export const eksRules: CloudRules<EksCluster, EksPool> = {
  cluster: eksCluster,
  pool: eksPool,
  problems: eksProblems,
  storage: eksStorage,
  gpuPool: eksGpuPool,
};
