// What the Pulumi programs are run with: Pulumi's CLI with its engine, and Helm. Built when first asked for, beside the
// local cluster's programs and as they are; a cluster alone needs neither.

import { join } from "node:path";

import { type BuildOptions, buildRecipes } from "./build.ts";
import { moduleDir, type ProgramRecipe } from "./programs.ts";

/** The executables' paths. */
export interface PulumiPrograms {
  readonly pulumi: string;
  readonly helm: string;
}

const recipes: readonly ProgramRecipe<keyof PulumiPrograms>[] = [
  {
    name: "pulumi",
    moduleDir: moduleDir("pulumi"),
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // Without it the CLI calls itself a development version, and refuses what asks for a minimum.
    stamps: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0" },
  },
  {
    name: "helm",
    moduleDir: moduleDir("helm"),
    package: "helm.sh/helm/v4/cmd/helm",
    stamps: { "helm.sh/helm/v4/internal/version.version": "v4.3.1" },
  },
];

/** Builds what the cache lacks; errors as buildRecipes. */
export async function buildPulumi(options: BuildOptions = {}): Promise<PulumiPrograms> {
  const built = await buildRecipes(recipes, options);
  return { pulumi: join(built.pulumi, "pulumi"), helm: join(built.helm, "helm") };
}
