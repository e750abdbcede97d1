// The agent of a cluster as a process under its supervisor: it hosts the simulated kubelets, engines and the proxy, and
// runs the pods of the operator's chart as processes.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { operatorImages, operatorProgram } from "../operator-image.ts";
import { programFlag } from "../kubelet/programs/program-table.ts";
import type { ClusterFacts, ClusterProcess } from "./options.ts";

const agentMain = fileURLToPath(new URL("../agent/main.ts", import.meta.url));

/** What to pass as ClusterOptions.processes, with further arguments of the agent. */
export function agentProcess(...args: readonly string[]): (facts: ClusterFacts) => readonly ClusterProcess[] {
  return (facts) => [
    {
      name: "agent",
      command: [
        process.execPath,
        agentMain,
        "--kubeconfig",
        facts.agentKubeconfigPath,
        "--pod-cidr",
        facts.podCidr,
        "--proxy-url",
        facts.proxyUrl,
        "--volumes-dir",
        join(facts.stateDir, "volumes"),
        ...operatorImages.map((image) => programFlag(image, operatorProgram)),
        ...args,
      ],
      readyUrl: `${facts.proxyUrl}/readyz`,
    },
  ];
}
