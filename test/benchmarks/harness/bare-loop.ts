// The rival of the operator: a process that sends recorded requests over as many connections, each busy all the time,
// without watching, comparing or waiting for anything.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalCluster } from "../../../local/cluster/options.ts";
import { namePattern } from "./load.ts";

/** A request as it was sent. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

/** What was recorded, and what has to be put in place of what when it is sent again. */
export interface Recording {
  readonly namespace: string;
  /** Requests by the name of the LlamaDeployment that they are about. */
  readonly requests: Readonly<Record<string, readonly RecordedRequest[]>>;
  /** The LlamaDeployments' uids when they were recorded, by name. */
  readonly uids: Readonly<Record<string, string>>;
}

/**
 * Sorts what was recorded by the LlamaDeployment that each request is about; the others are left out. So is what was
 * sent after the last of the objects: neither the operator nor the bare loop is judged by it.
 */
export function recordingOf(
  namespace: string,
  recorded: readonly RecordedRequest[],
  uids: Readonly<Record<string, string>>,
): Recording {
  const requests: Record<string, RecordedRequest[]> = {};
  const last = recorded.findLastIndex(({ method }) => method === "PATCH");
  for (const request of recorded.slice(0, last + 1)) {
    if (!request.path.includes(`/namespaces/${namespace}/`)) continue;
    // Events carry the name in their body.
    const name = (namePattern.exec(request.path) ?? namePattern.exec(request.body))?.[0];
    if (name !== undefined) (requests[name] ??= []).push(request);
  }
  return { namespace, requests, uids };
}

/** What the process is told: the cluster first, then each LlamaDeployment as it comes into being. */
export type BareLoopMessage =
  | {
      readonly kind: "start";
      readonly server: string;
      readonly caFile: string;
      readonly kubeconfig: string;
      readonly recordingFile: string;
      readonly namespace: string;
      readonly connections: number;
      readonly userAgent: string;
    }
  | { readonly kind: "created"; readonly name: string; readonly uid: string };

export interface BareLoop extends AsyncDisposable {
  /** The LlamaDeployment exists: its requests may be sent. */
  created(name: string, uid: string): void;
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>;
}

export async function startBareLoop(options: {
  readonly cluster: LocalCluster;
  readonly recording: Recording;
  readonly namespace: string;
  readonly connections: number;
  readonly userAgent: string;
}): Promise<BareLoop> {
  const { cluster, recording, namespace, connections, userAgent } = options;
  const recordingFile = join(cluster.stateDir, "recording.json");
  await writeFile(recordingFile, JSON.stringify(recording), { mode: 0o600 });
  const child = fork(join(import.meta.dirname, "bare-loop-process.ts"), { stdio: "inherit" });
  const { server, caFile, kubeconfigPath: kubeconfig } = cluster;
  send(child, {
    kind: "start",
    server,
    caFile,
    kubeconfig,
    recordingFile,
    namespace,
    connections,
    userAgent,
  });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the bare loop ended with ${String(code)}`);
  });
  // Whoever races it hears of it; an end that was asked for is no failure.
  failed.catch(() => undefined);
  await Promise.race([once(child, "message"), failed]);
  return {
    failed,
    created: (name, uid) => send(child, { kind: "created", name, uid }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function send(child: ChildProcess, message: BareLoopMessage): void {
  if (child.connected) child.send(message);
}
