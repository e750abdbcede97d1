// Who may import whom. Between the parts under src/ the packages say it themselves: `exports` is all that others can
// import, `dependencies` all that a part can. This table holds what packages cannot say: which folders are pure, and
// what local/, infra/ and scripts/, which are no parts of the product, may reach for.

/** One folder and what its files may import. */
export interface Part {
  /** Folder or file, from the repository's root. The longest match is a file's part. */
  readonly path: string;
  /** Parts whose values and types it may import by relative path. Its own files always. */
  readonly uses: readonly string[];
  /** Parts of which it may import types alone: contracts without code. */
  readonly typesOf?: readonly string[];
  /**
   * Packages and Node modules; types of other people's packages are free, types of ours are not. A trailing `*` stands
   * for any ending.
   */
  readonly packages: readonly string[];
}

const kubeRuntime = "@llama-operator/kube-runtime*";
const llama = "@llama-operator/llama*";
const operator = "@llama-operator/operator*";
const cli = "@llama-operator/cli";

const clouds = ["aks", "eks", "gke"].map((name) => `infra/clouds/${name}`);

export const parts: readonly Part[] = [
  // Talks to the API server; knows no Llama.
  { path: "src/kube-runtime", uses: [], packages: ["node:*", "undici", "@kubernetes/client-node/*"] },
  // Pure: no clock, no network, no Kubernetes client.
  { path: "src/llama/api", uses: [], packages: ["zod"] },
  { path: "src/llama/catalog", uses: [], packages: [] },
  { path: "src/llama/planning", uses: ["src/llama/api", "src/llama/catalog"], packages: [] },
  // An engine turns a Plan into a command line: it needs the plan's shape and none of its arithmetic.
  {
    path: "src/llama/engines",
    uses: ["src/llama/api", "src/llama/catalog"],
    typesOf: ["src/llama/planning"],
    packages: [],
  },
  {
    path: "src/llama",
    uses: ["src/llama/api", "src/llama/catalog", "src/llama/planning", "src/llama/engines"],
    packages: [],
  },
  { path: "src/operator/workloads", uses: [], packages: [llama, "node:crypto", "zod"] },
  // Handed in, never reached for: only the command line imports it.
  {
    path: "src/operator/telemetry",
    uses: [],
    packages: [kubeRuntime, "node:*", "pino", "@prometheus-io/client"],
  },
  {
    path: "src/operator/admission",
    uses: ["src/operator", "src/operator/workloads"],
    packages: [kubeRuntime, llama, "node:*", "zod"],
  },
  {
    path: "src/operator",
    uses: ["src/operator/workloads", "src/operator/admission"],
    packages: [kubeRuntime, llama, "node:*", "zod"],
  },
  // Starts everything, and no part uses it.
  {
    path: "src/cli",
    uses: ["src/cli/inspection", "package.json"],
    packages: [kubeRuntime, llama, operator, "*"],
  },
  // Looks at checkpoints on the hub, in folders and in registries; plans and runs nothing.
  { path: "src/cli/inspection", uses: [], packages: [llama, "node:*", "undici", "zod"] },
  // Its doubles of a hub are servers.
  {
    path: "src/cli/inspection/testing",
    uses: ["src/cli/inspection"],
    packages: [llama, "@llama-operator/kube-runtime/http", "node:*", "undici"],
  },
  // The cluster on one machine: shapes of nodes from the catalog, the API server through the client.
  {
    path: "local",
    uses: ["local/engine"],
    packages: [
      "@llama-operator/llama/catalog",
      "@llama-operator/llama/api",
      kubeRuntime,
      "node:*",
      "undici",
      "yaml",
      "commander",
    ],
  },
  // Stands for vLLM: with facts and arithmetic of its own, so that a wrong planner cannot agree with it.
  { path: "local/engine", uses: [], packages: ["node:*", "zod", "@prometheus-io/client"] },
  // The command line of a checkout: the shipped one, with `local` added.
  { path: "local/cli", uses: ["local"], packages: [cli, "commander"] },
  { path: "local/main.ts", uses: ["local", "local/cli"], packages: [cli, "node:*"] },
  // The Pulumi programs: what they plan and promise is what the operator plans and promises.
  {
    path: "infra",
    uses: clouds.flatMap((cloud) => [cloud, `${cloud}/config`]),
    packages: [llama, "node:*", "zod", "yaml", "@pulumi/*"],
  },
  // A cloud knows no other one; its configuration is read without the SDK of any.
  ...clouds.flatMap((cloud): readonly Part[] => [
    {
      path: cloud,
      uses: ["infra", `${cloud}/config`],
      packages: [llama, "node:*", "zod", "yaml", "@pulumi/*"],
    },
    { path: `${cloud}/config`, uses: ["infra"], packages: [llama, "zod"] },
  ]),
  // Their command line: of a checkout, so that it may start the local cluster and build the CLI.
  {
    path: "infra/cli",
    uses: ["infra", "infra/local-engine", "local"],
    packages: ["@llama-operator/llama/catalog", cli, "node:*", "commander"],
  },
  { path: "infra/main.ts", uses: ["infra/cli"], packages: [cli] },
  // Stands for Pulumi's own language host and Kubernetes provider, which are no modules: the local stack runs on it.
  {
    path: "infra/local-engine",
    uses: [],
    packages: [kubeRuntime, "node:*", "yaml", "@pulumi/*", "@grpc/grpc-js", "google-protobuf/*"],
  },
  // What only tests need: doubles of the clouds, planned faults, projects to run.
  {
    path: "infra/testing",
    uses: ["local", "infra/local-engine"],
    packages: [
      "@llama-operator/llama/catalog",
      kubeRuntime,
      "node:*",
      "yaml",
      "@pulumi/*",
      "@grpc/grpc-js",
      "google-protobuf/*",
    ],
  },
  // Projects that a test runs: they use what they are to test.
  { path: "infra/testing/guarded-project", uses: ["infra"], packages: ["@pulumi/*"] },
  { path: "infra/testing/renamed-project", uses: ["infra"], packages: ["@pulumi/*"] },
  // A user's own project: it has the package and nothing of this repository.
  {
    path: "infra/testing/consumer-project",
    uses: [],
    packages: ["@llama-operator/infra", "@pulumi/*"],
  },
  { path: "scripts", uses: [], packages: ["@llama-operator/llama/api", "node:*", "esbuild", "yaml"] },
  // Its version.
  { path: "package.json", uses: [], packages: [] },
  // Crosses parts on purpose, internals included.
  { path: "test", uses: ["src", "local", "infra", "scripts"], packages: ["*"] },
];
