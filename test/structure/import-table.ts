// Who may import whom, as one table: the shape of the house. A new folder gets its line here before its first file,
// and whoever wants another edge changes this table, where a reviewer sees it.

/** A part of the house: the folder, what of ours it may use, and which packages. */
export interface Part {
  /** Folder or file, from the repository's root. The longest match is a file's part. */
  readonly path: string;
  /** Parts whose values and types it may import. Its own files always. */
  readonly uses: readonly string[];
  /** Parts of which it may import types alone: contracts without code. */
  readonly typesOf?: readonly string[];
  /** Packages and Node modules; types of any package are free. A trailing `*` stands for any ending. */
  readonly packages: readonly string[];
}

const pureParts = ["src/api", "src/catalog", "src/planning", "src/engines", "src/workloads"] as const;
const controllerParts = [...pureParts, "src/kube", "src/runtime"] as const;

export const parts: readonly Part[] = [
  // Pure: no clock, no network, no client of Kubernetes.
  { path: "src/api", uses: [], packages: ["zod"] },
  { path: "src/catalog", uses: [], packages: [] },
  { path: "src/planning", uses: ["src/api", "src/catalog"], packages: [] },
  // An engine turns a Plan into a command line: it needs the plan's shape and none of its arithmetic.
  { path: "src/engines", uses: ["src/api", "src/catalog"], typesOf: ["src/planning"], packages: [] },
  {
    path: "src/workloads",
    uses: ["src/api", "src/catalog", "src/planning", "src/engines"],
    packages: ["node:crypto", "zod"],
  },
  // X.509 for a process's own server.
  { path: "src/certificates", uses: [], packages: ["node:*"] },
  // Talks to the API server; knows no Llama.
  { path: "src/kube", uses: [], packages: ["node:*", "undici", "@kubernetes/client-node/*"] },
  { path: "src/kube/testing", uses: ["src/kube", "src/certificates"], packages: ["node:*"] },
  { path: "src/runtime", uses: ["src/kube"], packages: ["node:*"] },
  // Looks at checkpoints on the hub, in folders and in registries; plans and runs nothing.
  { path: "src/inspection", uses: ["src/api", "src/catalog"], packages: ["node:*", "undici", "zod"] },
  // Handed in, never reached for: nothing below the command line imports it.
  {
    path: "src/telemetry",
    uses: [],
    typesOf: ["src/kube", "src/runtime"],
    packages: ["node:*", "pino", "prom-client"],
  },
  {
    path: "src/controllers",
    uses: [...controllerParts, "src/autoscaling"],
    typesOf: ["src/telemetry"],
    packages: ["node:*"],
  },
  { path: "src/autoscaling", uses: controllerParts, typesOf: ["src/telemetry"], packages: ["node:*"] },
  {
    path: "src/admission",
    uses: [...controllerParts, "src/certificates"],
    typesOf: ["src/telemetry"],
    packages: ["node:*", "zod"],
  },
  // Sees everything, and nothing sees it.
  { path: "src/cli", uses: ["src", "package.json"], packages: ["node:*", "commander", "yaml"] },
  { path: "src/main.ts", uses: ["src"], packages: ["node:*"] },
  // The cluster on one machine: shapes of nodes from the catalog, the API server through the client.
  {
    path: "local",
    uses: ["src/catalog", "src/kube", "local/engine"],
    typesOf: ["src/api"],
    packages: ["node:*", "undici", "yaml", "commander"],
  },
  // Stands for vLLM: with facts and arithmetic of its own, so that a wrong planner cannot agree with it.
  { path: "local/engine", uses: [], packages: ["node:*", "zod", "prom-client"] },
  // The command line of a checkout: the shipped one, with `local` added.
  {
    path: "local/cli",
    uses: ["local", "src/cli"],
    packages: ["commander"],
  },
  { path: "local/main.ts", uses: ["local", "local/cli", "src/cli"], packages: ["node:*"] },
  // The Pulumi programs: what they plan and promise is what the operator plans and promises.
  {
    path: "infra",
    uses: ["src/api", "src/catalog", "src/planning"],
    packages: ["node:*", "zod", "yaml", "@pulumi/*"],
  },
  // Their command line: of a checkout, so that it may start the local cluster and build the CLI.
  {
    path: "infra/cli",
    uses: ["infra", "infra/testing", "local", "src/cli", "src/catalog"],
    packages: ["node:*", "commander"],
  },
  { path: "infra/main.ts", uses: ["infra/cli", "src/cli"], packages: [] },
  // Stands for what a machine without clouds lacks: Pulumi's language host and its providers.
  {
    path: "infra/testing",
    uses: ["local", "src/kube", "src/catalog"],
    packages: ["node:*", "yaml", "@pulumi/*", "@grpc/grpc-js", "google-protobuf/*"],
  },
  // A project that a test runs: it uses what it is to test.
  { path: "infra/testing/guarded-project", uses: ["infra"], packages: ["@pulumi/*"] },
  // Not of this repository, as far as it can tell.
  {
    path: "infra/testing/consumer-project",
    uses: [],
    packages: ["@llama-operator/infra", "@pulumi/*"],
  },
  { path: "scripts", uses: ["src/api"], packages: ["node:*", "esbuild", "yaml"] },
  // Its version.
  { path: "package.json", uses: [], packages: [] },
  // Crosses folders on purpose.
  { path: "test", uses: ["src", "local", "infra", "scripts"], packages: ["*"] },
];
