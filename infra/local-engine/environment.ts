// The environment of a Pulumi engine that needs nothing but this checkout: the CLI built from its module, npm's own program
// runner behind a small language host, and a Kubernetes provider, since Pulumi's own cannot be installed as modules.
//
// Guarantees
// - Nothing is downloaded, no question is asked, and the caller's own Pulumi set-up is neither read nor changed.
// - Everything that the engine writes lies in one folder of the caller; the state is a file backend in it.

import { mkdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export interface EnginePrograms {
  readonly pulumi: string;
  readonly helm: string;
}

export interface EngineEnvironmentOptions {
  /** The executables, as buildPulumi gives them. */
  readonly programs: EnginePrograms;
  /** An existing folder for everything that the engine writes; the caller removes it. */
  readonly homeDir: string;
  /** Folders with further plugins; they go before the engine's own of the same name. */
  readonly plugins?: readonly string[];
  /** Set over everything else. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Makes the folders of an engine, and gives the environment that its CLI runs in. */
export async function engineEnvironment({
  programs,
  homeDir,
  plugins = [],
  environment = {},
}: EngineEnvironmentOptions): Promise<Readonly<Record<string, string>>> {
  const [home, state] = [join(homeDir, "home"), join(homeDir, "state")];
  await Promise.all([home, state].map(async (path) => mkdir(path, { recursive: true })));
  return {
    ...inherited(process.env),
    PATH: [
      ...plugins,
      dirname(programs.pulumi),
      dirname(programs.helm),
      join(import.meta.dirname, "language-host"),
      join(import.meta.dirname, "kubernetes-provider"),
      dirname(process.execPath),
      process.env["PATH"] ?? "",
    ].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: pathToFileURL(state).href,
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
    // A run starts four programs that all load the SDK: compiled once, it starts in two thirds of the processor time.
    NODE_COMPILE_CACHE: join(home, "node"),
    HELM_CACHE_HOME: join(home, "helm", "cache"),
    HELM_CONFIG_HOME: join(home, "helm", "config"),
    HELM_DATA_HOME: join(home, "helm", "data"),
    ...environment,
  };
}

/** The caller's environment without what would lead Pulumi, Helm or Kubernetes clients elsewhere. */
function inherited(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(environment).filter(
    ([name, value]) => value !== undefined && !/^(?:PULUMI_|HELM_|KUBECONFIG$|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
