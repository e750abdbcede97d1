// Helm releases as Pulumi resources (kubernetes:helm.sh/v3:Release): charts from a path, a .tgz or a repository, with
// Helm's own install, upgrade and uninstall.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "yaml";

import { NotInitializedError } from "../protocol/errors.ts";
import {
  hasUnknowns,
  isPropertyMap,
  plainMap,
  type PropertyMap,
  Secret,
  secretsLike,
  textOf,
} from "../protocol/properties.ts";
import { differences, isWithin } from "../provider/differences.ts";
import {
  type CheckCall,
  type CreateCall,
  type DeleteCall,
  type Diff,
  type DiffCall,
  type Made,
  notMadeYet,
  type ReadCall,
  type ResourceHandler,
  type UpdateCall,
} from "../provider/handler.ts";
import { helm, type HelmContext, HelmError, type ReleaseStatus, releaseStatus } from "./helm.ts";
import { autoname } from "./names.ts";

/** pulumi-kubernetes provider/pkg/provider/helm_release.go, defaultTimeoutSeconds. */
const defaultTimeoutSeconds = 300;
const inputsKey = "__inputs";

/** The folder of a chart that is to be taken instead of one of the network, by that one's name or URL. */
export type LocalChart = (chart: string) => string;

export class HelmReleaseHandler implements ResourceHandler {
  readonly #context: HelmContext;
  readonly #defaultNamespace: string;
  readonly #localChart: LocalChart | undefined;

  constructor(context: HelmContext, defaultNamespace: string, localChart?: LocalChart) {
    this.#context = context;
    this.#defaultNamespace = defaultNamespace;
    this.#localChart = localChart;
  }

  /**
   * Resolves the chart's version, by which alone the real provider sees that a chart at the same path has changed: it
   * renders nothing, and compares no content.
   * Source: pulumi/pulumi-kubernetes pull request 2672, which took the checksum of pull request 2568 out again.
   */
  async check({ inputs, oldInputs, name, seed, signal }: CheckCall): Promise<PropertyMap> {
    const complete: PropertyMap = {
      ...inputs,
      name: inputs["name"] ?? oldInputs?.["name"] ?? autoname(name, seed),
      namespace: inputs["namespace"] ?? this.#defaultNamespace,
      ...(inputs["skipAwait"] === true ? {} : { timeout: inputs["timeout"] ?? defaultTimeoutSeconds }),
    };
    // The name of a chart alone is what an imported release has of a local one: there is nothing to look at.
    if (hasUnknowns(complete) || isNameAlone(complete)) return complete;
    const version = await this.#chartVersion(complete, signal);
    return version === undefined ? complete : { ...complete, version };
  }

  async #chartVersion(inputs: PropertyMap, signal: AbortSignal): Promise<string | undefined> {
    const { chart, source, isFolder, isStandIn } = releaseOf(inputs, this.#localChart);
    // A chart that stands for another one has a version of its own.
    if (isStandIn) return undefined;
    const text = isFolder
      ? await readFile(join(chart, "Chart.yaml"), "utf8")
      : await helm(["show", "chart", chart, ...source], this.#context, signal);
    return textOf((parse(text) as PropertyMap)["version"]);
  }

  async diff({ inputs, state }: DiffCall): Promise<Diff> {
    const found = differences(plainMap(stateInputs(state)), plainMap(inputs));
    const replacing = found.filter(({ path }) =>
      ["name", "namespace"].some((field) => isWithin(path, field)),
    );
    return { differences: found, replacing, deleteBeforeReplace: false };
  }

  async create(call: CreateCall): Promise<Made> {
    if (call.preview) return notMadeYet(call.inputs);
    const release = releaseOf(call.inputs, this.#localChart);
    const extra = flags(call.inputs, {
      createNamespace: "--create-namespace",
      replace: "--replace",
      takeOwnership: "--take-ownership",
    });
    return this.#run(call, ["install", release.name, release.chart, ...extra]);
  }

  async update(call: UpdateCall): Promise<PropertyMap> {
    if (call.preview) return call.inputs;
    const release = releaseOf(call.inputs, this.#localChart);
    const extra = flags(call.inputs, {
      forceUpdate: "--force-replace",
      resetValues: "--reset-values",
      reuseValues: "--reuse-values",
      cleanupOnFail: "--cleanup-on-fail",
      takeOwnership: "--take-ownership",
    });
    return (await this.#run(call, ["upgrade", release.name, release.chart, ...extra])).properties;
  }

  async #run(call: CreateCall, command: readonly string[]): Promise<Made> {
    const release = releaseOf(call.inputs, this.#localChart);
    const args = [
      ...command,
      ...release.place,
      ...release.source,
      ...release.rendering,
      ...waiting(call.inputs),
      ...flags(call.inputs, { atomic: "--rollback-on-failure", disableWebhooks: "--no-hooks" }),
    ];
    const id = `${release.namespace}/${release.name}`;
    let failure: HelmError | undefined;
    try {
      await helm(args, this.#context, call.signal, release.values);
    } catch (error) {
      if (!(error instanceof HelmError)) throw error;
      failure = error;
    }
    // Also after a cancelled run: the state must know of a release that is there.
    const status = await releaseStatus(
      release.name,
      release.namespace,
      this.#context,
      new AbortController().signal,
    );
    if (failure !== undefined && (status === undefined || status.info.status === "deployed")) {
      // Nothing is left of it, or what was there before is there again.
      throw failure;
    }
    const properties = releaseState(call.inputs, status);
    if (failure !== undefined) {
      throw new NotInitializedError(
        `Helm release "${id}" was created, but failed to initialize completely. Use Helm CLI to investigate.: ${failure.message}`,
        id,
        properties,
      );
    }
    return { id, properties };
  }

  async read({
    id,
    state,
    signal,
  }: ReadCall): Promise<{ readonly inputs: PropertyMap; readonly properties: PropertyMap } | undefined> {
    const recorded = stateInputs(state);
    const [namespace = "", name = ""] =
      recorded["name"] === undefined
        ? id.split("/")
        : [textOf(recorded["namespace"]), textOf(recorded["name"])];
    const status = await releaseStatus(name, namespace, this.#context, signal);
    if (status === undefined) return undefined;
    const inputs = recorded["name"] === undefined ? await this.#liveInputs(status, signal) : recorded;
    return { inputs, properties: releaseState(inputs, status) };
  }

  /**
   * What a release that is imported says of its arguments: the chart's name, not where it came from, and no options.
   * Source: pulumi-kubernetes, helm_release.go, setReleaseAttributes and importRelease.
   */
  async #liveInputs({ name, namespace, chart }: ReleaseStatus, signal: AbortSignal): Promise<PropertyMap> {
    const text = await helm(
      ["get", "values", name, "--namespace", namespace, "--output", "json"],
      this.#context,
      signal,
    );
    return {
      name,
      namespace,
      chart: chart?.metadata?.name ?? null,
      version: chart?.metadata?.version ?? null,
      values: (JSON.parse(text) ?? {}) as PropertyMap,
      timeout: defaultTimeoutSeconds,
    };
  }

  async delete(call: DeleteCall): Promise<void> {
    const inputs = stateInputs(call.state);
    const { name, namespace } = releaseOf(inputs, this.#localChart);
    const args = ["uninstall", name, "--namespace", namespace, "--ignore-not-found"];
    const wait =
      inputs["skipAwait"] === true && inputs["atomic"] !== true ? [] : ["--wait", ...timeout(inputs)];
    await helm([...args, ...wait], this.#context, call.signal);
  }
}

/** A release's arguments as Helm's command line takes them. */
interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  readonly values: PropertyMap;
  readonly place: readonly string[];
  readonly source: readonly string[];
  /** A folder on this machine. */
  readonly isFolder: boolean;
  /** A local chart that is taken instead of one of the network. */
  readonly isStandIn: boolean;
  readonly rendering: readonly string[];
}

function releaseOf(properties: PropertyMap, localChart: LocalChart | undefined): Release {
  const plain = plainMap(properties);
  const text = (name: string): string => textOf(plain[name]);
  const values = plain["values"];
  const repository = plain["repositoryOpts"];
  const repo = isPropertyMap(repository) ? textOf(repository["repo"]) : "";
  const isRemote = repo !== "" || text("chart").startsWith("oci://");
  const local = isRemote ? localChart?.(text("chart")) : undefined;
  const version = local === undefined ? text("version") : "";
  return {
    name: text("name"),
    namespace: text("namespace"),
    chart: local ?? text("chart"),
    values: isPropertyMap(values) ? values : {},
    place: ["--namespace", text("namespace")],
    source: [
      ...(version === "" ? [] : ["--version", version]),
      ...(repo === "" || local !== undefined ? [] : ["--repo", repo]),
      ...flags(plain, { dependencyUpdate: "--dependency-update", devel: "--devel" }),
    ],
    isFolder: !isRemote && !text("chart").endsWith(".tgz"),
    isStandIn: local !== undefined,
    rendering: [
      "--values",
      "-",
      ...flags(plain, { skipCrds: "--skip-crds" }),
      ...(text("description") === "" ? [] : ["--description", text("description")]),
    ],
  };
}

function isNameAlone(inputs: PropertyMap): boolean {
  return inputs["repositoryOpts"] === undefined && !/[./]/.test(textOf(inputs["chart"]));
}

function flags(inputs: PropertyMap, names: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(names).flatMap(([name, flag]) => (inputs[name] === true ? [flag] : []));
}

/** The provider's library waits as Helm 3 does. */
function waiting(inputs: PropertyMap): readonly string[] {
  if (inputs["skipAwait"] === true) return timeout(inputs);
  return ["--wait=legacy", ...flags(inputs, { waitForJobs: "--wait-for-jobs" }), ...timeout(inputs)];
}

/** The release's own: the engine's resource option has no say here, as in the real provider. */
function timeout(inputs: PropertyMap): readonly string[] {
  const seconds = typeof inputs["timeout"] === "number" ? inputs["timeout"] : defaultTimeoutSeconds;
  return ["--timeout", `${seconds}s`];
}

/** The real provider keeps a release's inputs as one secret. */
function releaseState(inputs: PropertyMap, status: ReleaseStatus | undefined): PropertyMap {
  const outputs: PropertyMap = {
    ...inputs,
    ...(status === undefined
      ? {}
      : {
          status: {
            name: status.name,
            namespace: status.namespace,
            revision: status.version,
            status: status.info.status,
            chart: status.chart?.metadata?.name ?? null,
            version: status.chart?.metadata?.version ?? null,
            appVersion: status.chart?.metadata?.appVersion ?? null,
          },
        }),
  };
  return { ...(secretsLike(outputs, inputs) as PropertyMap), [inputsKey]: new Secret(inputs) };
}

function stateInputs(state: PropertyMap): PropertyMap {
  const inputs = state[inputsKey];
  const value = inputs instanceof Secret ? inputs.value : inputs;
  return isPropertyMap(value) ? value : {};
}
