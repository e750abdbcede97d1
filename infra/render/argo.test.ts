import { expect, test } from "vitest";
import { argoApplication } from "./argo.ts";

const git = { url: "https://git.example.com/a.git", revision: "v1" };
const addOn = { release: "a", version: "1.2.3", values: {} };

test.each([
  [
    { kind: "oci", url: "oci://registry.example.com/charts/a" },
    { repoURL: "registry.example.com/charts", chart: "a", targetRevision: "1.2.3" },
  ],
  [
    { kind: "helmRepository", url: "https://charts.example.com", name: "a" },
    { repoURL: "https://charts.example.com", chart: "a", targetRevision: "1.2.3" },
  ],
  [
    { kind: "repository", path: "charts/a" },
    { repoURL: git.url, path: "charts/a", targetRevision: "v1" },
  ],
] as const)("Argo CD takes a chart from %o", (chart, source) => {
  const release = { addOn: { ...addOn, chart }, namespace: "n", values: { replicas: 2 } };
  expect(argoApplication(release, 1, git)).toMatchObject({
    metadata: { name: "a", annotations: { "argocd.argoproj.io/sync-wave": "1" } },
    spec: {
      source: { ...source, helm: { releaseName: "a", valuesObject: { replicas: 2 } } },
      destination: { namespace: "n" },
    },
  });
});
