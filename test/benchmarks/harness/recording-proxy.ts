// Stands between an operator and the API server, hands everything through and remembers every write to the byte: what
// the bare loop then sends again.
import type { LocalCluster } from "../../../local/cluster/options.ts";
import { startApiServerProxy, Upstream, type ApiRequest } from "../../support/api-server-proxy.ts";
import type { RecordedRequest } from "./bare-loop.ts";

export interface RecordingProxy extends AsyncDisposable {
  /** Of the proxy: an operator with it is recorded. */
  readonly kubeconfig: string;
  /** Every write that the API server accepted, Leases aside, in the order in which they were sent. */
  readonly recorded: readonly RecordedRequest[];
}

/** Starts a proxy in front of the cluster's API server; it speaks plain HTTP on a loopback address. */
export async function startRecordingProxy(cluster: LocalCluster): Promise<RecordingProxy> {
  const upstream = await Upstream.to(cluster);
  const recorded: RecordedRequest[] = [];
  const proxy = await startApiServerProxy(cluster, async (request) => {
    const at = isRecorded(request) ? recorded.push(recordOf(request)) - 1 : undefined;
    const reply = await upstream.forward(request);
    if (at !== undefined && reply.status >= 300) {
      const { method, path } = request;
      throw new Error(`request ${at} of the recording was refused: ${method} ${path}: ${reply.status}`);
    }
    return reply;
  });
  return {
    kubeconfig: proxy.kubeconfig,
    recorded,
    async [Symbol.asyncDispose]() {
      await Promise.all([proxy.close(), upstream[Symbol.asyncDispose]()]);
    },
  };
}

function isRecorded({ method, path }: ApiRequest): boolean {
  return method !== "GET" && !path.includes("/leases");
}

function recordOf({ method, path, headers, body }: ApiRequest): RecordedRequest {
  return { method, path, contentType: headers["content-type"] ?? "", body };
}
