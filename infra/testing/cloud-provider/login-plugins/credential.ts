// Stands for the plugins by which kubectl, Helm and every client log in to a managed cluster: each checks what it is
// asked as the real one does, and gives a token of the local API server.
//
// They differ from the real ones in that no login to a cloud is needed, and in that a token never expires.

import { localApiServer } from "../api-server.ts";
import { CloudStore, cloudVariable } from "../store.ts";

/** `KUBERNETES_EXEC_INFO` says which version the client wants: client-go sets it, and so must others. */
interface ExecInfo {
  readonly apiVersion?: string;
}

/** The AKS AAD server application, the same for all clusters: learn.microsoft.com/azure/aks/kubelogin-authentication. */
const aksServerId = "6dae42f8-4368-4678-94ff-3960e28e3630";

const [plugin = "", ...args] = process.argv.slice(2);
const problem = problemOf(plugin, args);
if (problem === undefined) {
  const info = JSON.parse(process.env["KUBERNETES_EXEC_INFO"] ?? "{}") as ExecInfo;
  const credential = {
    apiVersion: info.apiVersion ?? "client.authentication.k8s.io/v1beta1",
    kind: "ExecCredential",
    status: { token: localApiServer(process.env).token },
  };
  process.stdout.write(`${JSON.stringify(credential)}\n`);
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

function problemOf(name: string, words: readonly string[]): string | undefined {
  switch (name) {
    // It takes no arguments that matter.
    case "gke-gcloud-auth-plugin":
      return undefined;
    case "aws":
      return words.includes("eks") && words.includes("get-token")
        ? missingEksCluster(valueOf(words, "--cluster-name"))
        : "aws: the stand-in knows eks get-token alone";
    case "kubelogin":
      return words[0] === "get-token"
        ? missingServerId(valueOf(words, "--server-id"))
        : "kubelogin: the stand-in knows get-token alone";
    default:
      return `${name}: no such plugin`;
  }
}

/** `--flag value` or `--flag=value`. */
function valueOf(words: readonly string[], flag: string): string | undefined {
  const position = words.indexOf(flag);
  if (position >= 0) return words[position + 1];
  return words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

/** The real one signs a token for any name, and the API server of no cluster takes it. */
function missingEksCluster(name: string | undefined): string | undefined {
  if (name === undefined) return "the following arguments are required: --cluster-name";
  const { records } = new CloudStore(process.env[cloudVariable] ?? "").read();
  const isThere = records.some(
    ({ type, inputs }) => type === "aws:eks/cluster:Cluster" && inputs["name"] === name,
  );
  return isThere ? undefined : `there is no EKS cluster ${name}`;
}

function missingServerId(serverId: string | undefined): string | undefined {
  return serverId === aksServerId ? undefined : `Error: --server-id must be ${aksServerId} for AKS`;
}
