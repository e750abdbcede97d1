// Charts that stand for those of the network, so that tests install every add-on without one: a folder for each, by the
// chart's name, with the real chart's version.

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the Kubernetes provider of tests finds stand-ins; without it, charts come from where they are named. */
export const chartsVariable = "LLAMA_OPERATOR_CHARTS";

export const standInCharts = join(import.meta.dirname, "charts");

/** The folder that stands for a chart of the network. @throws Error where there is none */
export function standInFor(chart: string, folder: string): string {
  const path = join(folder, chart.slice(chart.lastIndexOf("/") + 1));
  if (existsSync(path)) return path;
  throw new Error(`nothing stands for the chart ${chart}: ${path} is not there`);
}
