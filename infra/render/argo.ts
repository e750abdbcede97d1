// A chart release in Argo CD's words: an Application. Argo CD renders the chart and applies what comes out itself.
import type { ChartRelease } from "../objects/releases.ts";

/** Where the repository with this project's own chart is, which only a person knows. */
export interface GitSource {
  /** URL as Argo CD takes it: `https://…` or `git@…`. */
  readonly url: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** Namespace that Argo CD's own installation uses. */
const argoNamespace = "argocd";

/** The Application of a release. `wave` orders it among others that are applied together. */
export function argoApplication(release: ChartRelease, wave: number, git: GitSource): object {
  const { addOn, namespace, values } = release;
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: {
      name: addOn.release,
      namespace: argoNamespace,
      annotations: { "argocd.argoproj.io/sync-wave": String(wave) },
    },
    spec: {
      project: "default",
      source: {
        ...chartOf(release, git),
        helm: {
          releaseName: addOn.release,
          ...(Object.keys(values).length === 0 ? {} : { valuesObject: values }),
        },
      },
      destination: { server: "https://kubernetes.default.svc", namespace },
      syncPolicy: {
        // What a chart no longer has is deleted, but for CustomResourceDefinitions that it marks as kept
        // (argoproj/argo-cd PR 13157).
        automated: { prune: true, selfHeal: true },
        // CustomResourceDefinitions with whole pods in them are larger than the annotation of a client-side apply may be.
        syncOptions: ["ServerSideApply=true"],
      },
    },
  };
}

/** argoproj/argo-cd:docs/user-guide/helm.md; a chart of a registry is written without `oci://` there. */
function chartOf({ addOn }: ChartRelease, git: GitSource): object {
  const { chart, version } = addOn;
  switch (chart.kind) {
    case "oci": {
      const address = chart.url.replace(/^oci:\/\//, "");
      const end = address.lastIndexOf("/");
      return { repoURL: address.slice(0, end), chart: address.slice(end + 1), targetRevision: version };
    }
    case "helmRepository":
      return { repoURL: chart.url, chart: chart.name, targetRevision: version };
    case "repository":
      return { repoURL: git.url, path: chart.path, targetRevision: git.revision };
    default:
      return chart satisfies never;
  }
}
