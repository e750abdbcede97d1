// What `npm start -- --keep` says at its end: how to reach the cluster, what to try, how to end it.
import type { LocalCluster } from "../cluster/options.ts";

/** The lines, each to be pasted as it is. */
export function whatToTry(
  cluster: Pick<LocalCluster, "kubeconfigPath" | "kubectl">,
  proxyUrl: string,
): readonly string[] {
  return [
    "The cluster and the operator go on running. In another terminal:",
    "",
    `  export KUBECONFIG=${cluster.kubeconfigPath}`,
    `  alias kubectl='${kubectlOf(cluster.kubectl)}'   # the cluster's own, if you have none`,
    "",
    "  # 1. See them",
    "  kubectl get llamas,gpupools -o wide",
    "  # 2. Chat with one, by the address in its status; the proxy stands for the cluster's DNS and kube-proxy",
    `  curl -x ${proxyUrl} http://llama-8b.default.svc/v1/chat/completions -H 'content-type: application/json' \\`,
    `    -d '{"model": "llama-3.1-8b-instruct", "max_tokens": 16, "messages": [{"role": "user", "content": "Hello"}]}'`,
    "  # 3. Scale one",
    "  kubectl scale llama/llama-8b --replicas=5",
    "  # 4. Break one: the edit is refused at once, and what serves goes on serving",
    `  kubectl patch llama llama-405b-fp8 --type merge -p 'spec: {quantization: {weights: bf16}, parallelism: {pipeline: 1}}'`,
    "  # 5. Without the webhook the status says it instead: take it away, patch again, and look",
    "  kubectl delete validatingwebhookconfiguration llama-operator",
    "  kubectl describe llama llama-405b-fp8",
    "  # 6. Delete one: nothing of it is left",
    "  kubectl delete llama llama-405b-bf16 && kubectl get all",
    "",
    "  npm start -- --stop   # ends all of it",
    "",
  ];
}

/** Shell words; paths with blanks are quoted. */
function kubectlOf(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `"${word}"`)).join(" ");
}
