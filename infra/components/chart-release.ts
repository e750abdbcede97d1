// A chart release as Pulumi takes it: one resource with Helm's own semantics, waited for and undone when it fails.
import type { ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release.js";
import { chartDigest, chartReference } from "../add-ons.ts";
import type { ChartRelease } from "../objects/releases.ts";

/** Helm's own default is 300: an image may have to be pulled on a cold node. */
const timeoutSeconds = 600;

/** Arguments of a release into a namespace that is there. Paths of charts are relative to the program's folder. */
export function releaseArgs({ addOn, namespace, values }: ChartRelease): ReleaseArgs {
  const digest = chartDigest(addOn);
  return {
    name: addOn.release,
    chart: chartReference(addOn, process.cwd()),
    ...(addOn.chart.kind === "helmRepository" ? { repositoryOpts: { repo: addOn.chart.url } } : {}),
    version: addOn.version,
    namespace,
    createNamespace: false,
    values: { ...values },
    // The provider compares its arguments and the chart's version, never the chart: without this, a chart that has changed
    // at the same version would not be rolled out. `helm history` shows it. Source: pulumi-kubernetes pull request 2672.
    ...(digest === undefined ? {} : { description: `chart sha256:${digest}` }),
    // A release that failed is undone, so that the next `up` begins from something whole.
    atomic: true,
    timeout: timeoutSeconds,
  };
}
