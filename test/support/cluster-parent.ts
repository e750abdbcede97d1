// A process of its own that starts a cluster, says in one line of JSON what it started, and stays: for tests
// that kill it. Takes the ClusterOptions as JSON.

import { startCluster } from "../../local/cluster/cluster.ts";
import type { ClusterOptions } from "../../local/cluster/options.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as ClusterOptions;
const cluster = await startCluster(options);
const { supervisorPid, processes, facts } = await cluster.status();
const pids = [supervisorPid, ...processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))];
console.log(JSON.stringify({ ...facts, kubectl: cluster.kubectl, pids }));
if (options.detached !== true) {
  setInterval(() => {}, 60_000);
}
