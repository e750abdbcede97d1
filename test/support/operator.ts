// The operator under test: one real process for the whole run, beside the shared cluster, and what the audit log
// says that it did.
import { open, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ClusterFacts, ClusterProcess } from "../../local/cluster/options.ts";
import { sharedCluster } from "./cluster.ts";

const operatorMain = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The operator as a process under the cluster's supervisor; its log is `operator.log` in the state folder. */
export function operatorProcess(facts: ClusterFacts): ClusterProcess {
  const flags = ["--health-port", "0", "--metrics-port", "0", "--no-leader-elect", "--log-level", "debug"];
  return {
    name: "operator",
    command: [process.execPath, operatorMain, "run", "--kubeconfig", facts.kubeconfigPath, ...flags],
  };
}

/** A request as the audit log has it. */
export interface AuditedRequest {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly code: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** Notes where the audit log ends now, and reads later what the operator has asked since. */
export async function operatorRequests(): Promise<{
  /** Its requests about objects of a namespace since then; watches and lists are cluster-wide and not among them. */
  since(namespace: string): Promise<readonly AuditedRequest[]>;
}> {
  const { auditLogPath } = sharedCluster();
  if (auditLogPath === undefined) throw new Error("the shared cluster has no audit log");
  const file = await open(auditLogPath);
  const { size } = await file.stat();
  await file.close();
  return {
    async since(namespace) {
      const log = await readFile(auditLogPath);
      const requests: AuditedRequest[] = [];
      for (const line of log.subarray(size).toString("utf8").split("\n")) {
        const event = parse(line);
        if (event?.stage !== "ResponseComplete" || event.userAgent?.startsWith("llama-operator/") !== true)
          continue;
        const { objectRef = {}, verb, responseStatus } = event;
        if (objectRef.namespace !== namespace) continue;
        const { resource = "", ...where } = objectRef;
        requests.push({ verb, resource, ...where, code: responseStatus?.code ?? 0 });
      }
      return requests;
    },
  };
}

/** The last line may be half written. */
function parse(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    return undefined;
  }
}
