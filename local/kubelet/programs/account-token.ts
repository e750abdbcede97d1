// The tokens of a pod's ServiceAccount, asked of the API server's TokenRequest API as a kubelet does: bound to the pod,
// so that they end with it, and replaced in their files before they expire.
import { rename, writeFile } from "node:fs/promises";
import type { Clock } from "../../engine/clock.ts";
import { type KubeClient, type KubeObject, resourceType } from "@llama-operator/kube-runtime/client";
import type { Pod } from "../pod.ts";

/** What a `serviceAccountToken` of a projected volume asks for. */
export interface TokenSpec {
  readonly audience?: string;
  readonly expirationSeconds: number;
}

export interface AccountToken {
  readonly token: string;
  readonly lifeSeconds: number;
}

/** @throws ApiError where the account is missing or the API server says no */
export type RequestToken = (pod: Pod, spec: TokenSpec) => Promise<AccountToken>;

/** A token in a file, to be kept fresh. */
export interface TokenFile {
  readonly path: string;
  readonly spec: TokenSpec;
  readonly lifeSeconds: number;
}

type TokenRequest = KubeObject & {
  readonly spec: {
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
    readonly boundObjectRef: object;
  };
  readonly status?: { readonly token: string };
};

const tokenType = resourceType<TokenRequest>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
});

/**
 * A kubelet asks for the next token when four fifths of a token's life have passed, or a day.
 * Source: requiresRefresh in pkg/kubelet/token/token_manager.go of kubernetes/kubernetes.
 */
const refreshShare = 0.8;
const longestUseSeconds = 86_400;
/** Real seconds until an API server that gave no token is asked again. */
const retrySeconds = 10;

/** Asks as the client's user, who must be allowed to: a kubelet is, for the pods of its node. */
export function tokenRequester(client: KubeClient, signal: AbortSignal): RequestToken {
  return async (pod, { audience, expirationSeconds }) => {
    const { name, namespace, uid } = pod.metadata;
    const account = { namespace: namespace ?? "default", name: pod.spec?.serviceAccountName ?? "default" };
    const request: TokenRequest = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: account,
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const { spec, status } = await client.create(tokenType, request, { subresource: "token", signal });
    return { token: status?.token ?? "", lifeSeconds: spec.expirationSeconds };
  };
}

/** Puts a token into its file whole: a reader sees the one before or this one. */
export async function writeToken(path: string, { token }: AccountToken): Promise<void> {
  await writeFile(`${path}.new`, token, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Replaces the token in its file in time, until aborted. Never rejects; `failed` hears of each try in vain. */
export async function keepFresh(
  file: TokenFile,
  pod: Pod,
  requestToken: RequestToken,
  clock: Clock,
  failed: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let waitSeconds = useSeconds(file.lifeSeconds);
  while (!signal.aborted) {
    await clock.sleep(waitSeconds * 1000, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const token = await requestToken(pod, file.spec);
      await writeToken(file.path, token);
      waitSeconds = useSeconds(token.lifeSeconds);
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      waitSeconds = retrySeconds;
    }
  }
}

function useSeconds(lifeSeconds: number): number {
  return Math.min(lifeSeconds * refreshShare, longestUseSeconds);
}
