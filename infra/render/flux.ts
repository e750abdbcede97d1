// A chart release in Flux's words: where the chart comes from, and the HelmRelease of it.
import type { ChartRelease } from "../objects/releases.ts";

/** Namespace that Flux's own bootstrap uses. */
const fluxNamespace = "flux-system";

/** The GitRepository that holds a chart of this repository: a person makes it, since only they know its URL. */
const gitRepository = { kind: "GitRepository", name: "llama-operator", namespace: fluxNamespace } as const;

/** Objects of Flux for a release that comes after `needed`. */
export function fluxObjects(release: ChartRelease, needed?: ChartRelease): readonly object[] {
  const { addOn, namespace, values } = release;
  const helmRelease = {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name: addOn.release, namespace },
    spec: {
      interval: "1h",
      releaseName: addOn.release,
      ...chartOf(release),
      ...(needed === undefined
        ? {}
        : { dependsOn: [{ name: needed.addOn.release, namespace: needed.namespace }] }),
      ...(Object.keys(values).length === 0 ? {} : { values }),
    },
  };
  return [...sourcesOf(release), helmRelease];
}

function chartOf({ addOn, namespace }: ChartRelease): object {
  const { chart } = addOn;
  switch (chart.kind) {
    case "oci":
      return { chartRef: { kind: "OCIRepository", name: addOn.release, namespace } };
    case "helmRepository": {
      const sourceRef = { kind: "HelmRepository", name: addOn.release, namespace };
      return { chart: { spec: { chart: chart.name, version: addOn.version, sourceRef } } };
    }
    case "repository":
      // By its version alone Flux would not see that the chart has changed
      // (fluxcd.io/flux/components/source/helmcharts, Reconcile strategy).
      return {
        chart: {
          spec: { chart: `./${chart.path}`, sourceRef: gitRepository, reconcileStrategy: "Revision" },
        },
      };
    default:
      return chart satisfies never;
  }
}

function sourcesOf({ addOn, namespace }: ChartRelease): readonly object[] {
  const { chart, release, version } = addOn;
  const source = (kind: string, spec: object) => ({
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind,
    metadata: { name: release, namespace },
    spec: { interval: "1h", ...spec },
  });
  switch (chart.kind) {
    case "oci":
      return [source("OCIRepository", { url: chart.url, ref: { tag: version } })];
    case "helmRepository":
      return [source("HelmRepository", { url: chart.url })];
    case "repository":
      return [];
    default:
      return chart satisfies never;
  }
}
