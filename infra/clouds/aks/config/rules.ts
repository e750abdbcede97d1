// What AKS brings to the configuration of a stack.
import type { CloudRules } from "../../cloud-rules.ts";
import { aksProblems } from "./checks.ts";
import { aksCluster } from "./cluster.ts";
import type { AksCluster } from "./cluster.ts";
import { aksGpuPool } from "./facts.ts";
import { aksPool } from "./pool.ts";
import type { AksPool } from "./pool.ts";
import { aksStorage } from "./storage.ts";

export const aksRules: CloudRules<AksCluster, AksPool> = {
  cluster: aksCluster,
  pool: aksPool,
  problems: aksProblems,
  storage: aksStorage,
  gpuPool: aksGpuPool,
};
