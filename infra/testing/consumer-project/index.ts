// A person's own program, as the documentation has it: the operator and a model on a cluster that is there, by the
// published components. Its test runs it in a folder of its own, with the packed package and nothing of the repository.

import { LlamaOperator, describeRefusals, parseConfiguration, planStack, serve } from "@llama-operator/infra";
import type { ConfigurationProblem } from "@llama-operator/infra";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { RunError } from "@pulumi/pulumi";
import { Config } from "@pulumi/pulumi/config.js";

const said = ({ path, message }: ConfigurationProblem) => `${path}: ${message}`;
const config = new Config();
const provider = new Provider("cluster", { kubeconfig: config.requireSecret("kubeconfig") });

const parsed = parseConfiguration({
  cluster: { kind: "kubeconfig" },
  leaderWorkerSet: { install: false, reason: "no model spans nodes" },
  operator: { image: "registry.example.com/llama-operator:0.1.0", namespace: "serving" },
  pools: [
    {
      name: "h100",
      gpu: { product: "nvidia-h100-80gb", perNode: 8 },
      machineShape: "a3-highgpu-8g",
      nodes: { min: 1, max: 1 },
    },
  ],
  models: [{ name: "llama-70b", spec: { model: { name: config.require("model") } } }],
});
if (!parsed.ok) throw new RunError(parsed.problems.map(said).join("\n"));
const plan = planStack(parsed.configuration);
if (!plan.ok) throw new RunError(describeRefusals(plan.refusals));

const second = new LlamaOperator(
  "second",
  {
    operator: { ...parsed.configuration.operator, namespace: "second" },
    transform: {
      namespace: { metadata: { name: "second", labels: { team: "a" } } },
      release: ({ args, options }) => ({
        args: { ...args, timeout: 900 },
        options: { ...options, protect: true },
      }),
    },
  },
  { provider },
);

export const chart = second.version;
export const { models, gpus } = serve(parsed.configuration, plan, provider);
