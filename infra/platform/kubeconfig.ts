// What a kubeconfig says of the cluster that a stack stands on. Only its path, context and server leave this file:
// state and outputs hold no credential, and a plugin that is missing is named before the first resource.
import { access, constants, readFile } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { parse } from "yaml";
import type { ClusterConfiguration } from "../config/cluster.ts";

/** How to reach a cluster, without the means to prove who asks. */
export interface ClusterAccess {
  /** Path of the kubeconfig; the text of one where a cloud makes the cluster. */
  readonly kubeconfig: string;
  readonly context: string;
  /** URL of the API server. */
  readonly server: string;
}

export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: { readonly cluster?: string; readonly user?: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: { readonly server?: string } }[];
  readonly users?: readonly {
    readonly name: string;
    readonly user?: { readonly exec?: { readonly command?: string } };
  }[];
}

/** Finds the cluster of a stack. @throws KubeconfigError that says what is missing, and where */
export async function clusterAccess(cluster: ClusterConfiguration, env: Environment): Promise<ClusterAccess> {
  const path = kubeconfigPath(cluster, env);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new KubeconfigError(`cluster.path: cannot read the kubeconfig ${path}`, { cause });
  });
  const config = (parse(text) ?? {}) as Kubeconfig;
  const name = (cluster.kind === "kubeconfig" ? cluster.context : undefined) ?? config["current-context"];
  if (name === undefined || name === "") {
    throw new KubeconfigError(`cluster.context: ${path} has no current context: name one`);
  }
  const context = config.contexts?.find((each) => each.name === name)?.context;
  if (context === undefined) {
    const known = (config.contexts ?? []).map((each) => each.name).join(", ") || "none";
    throw new KubeconfigError(`cluster.context: ${path} has no context ${name}; it has ${known}`);
  }
  const server = config.clusters?.find((each) => each.name === context.cluster)?.cluster?.server;
  if (server === undefined) {
    throw new KubeconfigError(`cluster.context: context ${name} of ${path} names no cluster with a server`);
  }
  const plugin = config.users?.find((each) => each.name === context.user)?.user?.exec?.command;
  if (plugin !== undefined && !(await isExecutable(plugin, env))) {
    throw new KubeconfigError(
      `context ${name} of ${path} logs in by the plugin ${plugin}, which is not on PATH: install it`,
    );
  }
  return { kubeconfig: path, context: name, server };
}

function kubeconfigPath(cluster: ClusterConfiguration, env: Environment): string {
  const stated = cluster.kind === "kubeconfig" ? cluster.path : undefined;
  if (stated !== undefined) {
    return stated.startsWith("~/") ? join(env["HOME"] ?? "/", stated.slice(2)) : resolve(stated);
  }
  const paths = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  const [path, ...others] = paths;
  if (path !== undefined && others.length === 0) return path;
  if (path !== undefined) {
    throw new KubeconfigError("cluster.path: KUBECONFIG names several files: write the one that is meant");
  }
  throw new KubeconfigError(
    cluster.kind === "local"
      ? "KUBECONFIG must name the local cluster's kubeconfig; `npm run infra` sets it, and so does what `llama-operator local up` prints"
      : "cluster.path: write the path of the kubeconfig, or set KUBECONFIG",
  );
}

/** Whether a command is a program on PATH. */
export async function isExecutable(command: string, env: Environment): Promise<boolean> {
  const folders = (env["PATH"] ?? "").split(delimiter);
  const places =
    isAbsolute(command) || command.includes("/") ? [command] : folders.map((folder) => join(folder, command));
  const found = await Promise.all(
    places.map(async (place) =>
      access(place, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
