// The programs of a local cluster and how each is built: a Go module of local/tools, the package in it, what
// the linker stamps, and the module's files that belong to the program at run time.

import { fileURLToPath } from "node:url";

export type ProgramName = "supervisor" | "control-plane" | "kwok" | "leader-worker-set";

export interface ProgramRecipe<Name extends string = ProgramName> {
  readonly name: Name;
  /** Folder of the Go module. */
  readonly moduleDir: string;
  /** Go package of the program's main. */
  readonly package: string;
  /** `-X` settings: variables of the program and their values. */
  readonly stamps: Readonly<Record<string, string>>;
  /** YAML files of a dependency that are kept beside the program, as `<name>.json`, a list of their documents. */
  readonly files?: { readonly ofModule: string; readonly paths: readonly string[] };
}

const kubernetesVersion = "v1.35.4";

/** The folder of a Go module of local/tools. */
export function moduleDir(name: string): string {
  return fileURLToPath(new URL(`../../tools/${name}`, import.meta.url));
}

// Without its stamps Kubernetes calls itself v0.0.0, and charts that ask for a kubeVersion refuse it.
const kubernetesStamps: Readonly<Record<string, string>> = Object.fromEntries(
  ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((versionPackage) => [
    [`${versionPackage}.gitVersion`, kubernetesVersion],
    [`${versionPackage}.gitMajor`, "1"],
    [`${versionPackage}.gitMinor`, "35"],
    [`${versionPackage}.gitTreeState`, "clean"],
  ]),
);

/** In the order of their build: the quick one first, then the one that everything else waits for. */
export const programRecipes: readonly ProgramRecipe[] = [
  { name: "supervisor", moduleDir: moduleDir("supervisor"), package: ".", stamps: {} },
  { name: "control-plane", moduleDir: moduleDir("control-plane"), package: ".", stamps: kubernetesStamps },
  {
    name: "kwok",
    moduleDir: moduleDir("kwok"),
    package: "sigs.k8s.io/kwok/cmd/kwok",
    stamps: {},
  },
  {
    name: "leader-worker-set",
    moduleDir: moduleDir("lws"),
    package: "sigs.k8s.io/lws/cmd",
    stamps: { "sigs.k8s.io/lws/pkg/version.GitVersion": "v0.9.0" },
    files: {
      ofModule: "sigs.k8s.io/lws",
      paths: [
        "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml",
        "config/crd/bases/disaggregatedset.x-k8s.io_disaggregatedsets.yaml",
        "config/webhook/manifests.yaml",
      ],
    },
  },
];
