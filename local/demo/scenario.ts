// What the demo shows, step by step. Every step does what a user would do, with the same commands, and shows what
// the API server then says; nothing is taken from inside the operator.
import type { KubeClient, Live } from "@llama-operator/kube-runtime/client";
import type { LocalCluster } from "../cluster/options.ts";
import { chat } from "./chat.ts";
import { attempt, llamaOperator, run } from "./commands.ts";
import { llamaDeployments, pods } from "./kinds.ts";
import type { LlamaDeployment, Pod } from "./kinds.ts";
import { duration } from "./screen.ts";
import type { Screen } from "./screen.ts";
import { conditionOf, isReady, tableLines } from "./table.ts";
import { DemoError, until } from "./wait.ts";

export interface Stage {
  readonly cluster: LocalCluster;
  readonly client: KubeClient;
  /** Stands for the cluster's DNS and kube-proxy. */
  readonly proxyUrl: string;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

const namespace = "default";

/** Applied in this order; each is planned before the next is applied. */
const served = ["llama-8b", "llama-70b-fp8", "llama-405b-fp8", "llama-405b-bf16"] as const;
const refused = "llama-405b-bf16-one-node";

/** How long the slowest model may take to load with the demo's speed-up. */
const readySeconds = 180;
const planSeconds = 30;

/** Installs the kinds, as `llama-operator crds | kubectl apply --server-side -f -`. */
export async function installKinds({ cluster, screen, signal }: Stage): Promise<void> {
  screen.command("llama-operator crds | kubectl apply --server-side -f -");
  const crds = await run(llamaOperator("crds"), { signal });
  const applied = await run([...cluster.kubectl, "apply", "--server-side", "-f", "-"], {
    signal,
    input: crds,
  });
  printOutput(screen, applied);
  await run(
    [
      ...cluster.kubectl,
      "wait",
      "--for=condition=Established",
      "--timeout=20s",
      "crd/llamadeployments.llama-operator.dev",
      "crd/gpupools.llama-operator.dev",
    ],
    { signal },
  );
}

/** The pool, the token that Meta's repositories ask for, and the examples, each with what the planner decided. */
export async function applyExamples(stage: Stage): Promise<void> {
  const { screen } = stage;
  await kubectl(stage, "apply -f examples/gpu-pool-h100.yaml");
  await kubectl(stage, "create secret generic hf-token --from-literal=token=hf_not_a_real_token");
  for (const name of served) {
    const planned = await applyExample(stage, name);
    if (planned.status !== "True") {
      throw new DemoError(`${name} should run and does not: ${planned.reason}: ${planned.message}`);
    }
    screen.line(`${screen.style("green", "planned")}  ${planned.message}`);
  }
  for (const line of wrap(await refusalOf(stage, refused), 100)) screen.line(screen.style("yellow", line));
}

/** What the webhook says to kubectl; where the API server could not ask it in time, what the status says instead. */
async function refusalOf(stage: Stage, name: string): Promise<string> {
  const { cluster, screen, signal } = stage;
  const command = `apply -f examples/${name}.yaml`;
  screen.command(`kubectl ${command}`);
  const { status, out, err } = await attempt([...cluster.kubectl, ...command.split(" ")], { signal });
  if (status !== 0) return err.trim();
  printOutput(screen, out);
  const planned = await planOf(stage, name);
  if (planned.status === "True") throw new DemoError(`${name} should be refused and was planned`);
  return `refused  ${planned.reason}: ${planned.message}`;
}

interface Planned {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function applyExample(stage: Stage, name: string): Promise<Planned> {
  await kubectl(stage, `apply -f examples/${name}.yaml`);
  return planOf(stage, name);
}

async function planOf(stage: Stage, name: string): Promise<Planned> {
  const wait = {
    what: `the plan of ${name}; is the operator running?`,
    timeoutSeconds: planSeconds,
    signal: stage.signal,
  };
  return until(wait, async () => conditionOf(await read(stage, name), "Planned"));
}

/** Draws the table until each model is Ready and `also` holds. */
export async function watchUntilReady(
  stage: Stage,
  names: readonly string[] = served,
  also: (objects: readonly LlamaDeployment[]) => Promise<boolean> | boolean = () => true,
): Promise<void> {
  const { screen } = stage;
  const paint = { good: "green", bad: "red", busy: "yellow" } as const;
  const wait = {
    what: `${names.join(", ")} to be Ready`,
    timeoutSeconds: readySeconds,
    signal: stage.signal,
  };
  await until(wait, async () => {
    const objects = await Promise.all(names.map(async (name) => read(stage, name)));
    screen.redraw(tableLines(objects, (tone, text) => screen.style(paint[tone], text)));
    return objects.every(isReady) && (await also(objects)) ? true : undefined;
  });
}

/** How the model that spans nodes runs: one group, a pod on each node, in the engine's own multi-node mode. */
export async function showGroup(stage: Stage): Promise<void> {
  const { screen } = stage;
  const name = "llama-405b-bf16";
  await kubectl(stage, "get leaderworkersets");
  for (const { metadata, spec } of await podsOf(stage, name)) {
    const [engine] = spec?.containers ?? [];
    const words = [...(engine?.command ?? []), ...(engine?.args ?? [])];
    const flags = words.filter((word) => /^--(?:nnodes|node-rank|master-addr|headless)\b/.test(word));
    screen.line(`${metadata.name} on ${spec?.nodeName ?? "no node"}: ${flags.join(" ")}`);
  }
}

/** Streams an answer from each model at its own address. */
export async function chatWithEach(stage: Stage): Promise<void> {
  for (const name of served) await chatWith(stage, name, "Who are you, in one sentence?");
}

async function chatWith(stage: Stage, name: string, prompt: string): Promise<void> {
  const { screen, proxyUrl, signal } = stage;
  const { status } = await read(stage, name);
  const endpoint = status?.endpoint;
  if (endpoint === undefined) throw new DemoError(`${name} is Ready and has no status.endpoint`);
  screen.line(`${screen.style("bold", `${endpoint}/chat/completions`)}  ${prompt}`);
  const answer = await chat({
    proxyUrl,
    endpoint,
    prompt,
    maxTokens: 32,
    signal,
    onText: (text) => screen.stream(text.replaceAll("\n", " ")),
  });
  screen.endStream();
  const { timeToFirstTokenSeconds, tokensPerSecond, tokens, model } = answer;
  const figures = `${model}: first token after ${Math.round(timeToFirstTokenSeconds * 1000)} ms, ${tokens} tokens at ${tokensPerSecond.toFixed(0)}/s`;
  screen.line(screen.style("dim", figures));
}

/** Kills a replica's pod and waits for another to answer in its place. */
export async function killReplica(stage: Stage): Promise<void> {
  const { screen } = stage;
  const name = "llama-70b-fp8";
  const [victim] = await podsOf(stage, name);
  if (victim === undefined) throw new DemoError(`${name} is Ready and has no pod`);
  const startedSeconds = screen.elapsedSeconds();
  await kubectl(stage, `delete pod ${victim.metadata.name} --force --grace-period=0`);
  await watchUntilReady(stage, [name], async () => {
    const pods = await podsOf(stage, name);
    return pods.every(({ metadata }) => metadata.uid !== victim.metadata.uid) && pods.some(isPodReady);
  });
  screen.line(`Another pod answers after ${duration(screen.elapsedSeconds() - startedSeconds)}.`);
  await chatWith(stage, name, "Are you back?");
}

/** Scales by hand, through the scale subresource. */
export async function scaleByHand(stage: Stage): Promise<void> {
  const replicas = 3;
  await kubectl(stage, `scale llama/llama-8b --replicas=${replicas}`);
  await watchUntilReady(stage, ["llama-8b"], ([object]) => object?.status?.readyReplicas === replicas);
  await kubectl(stage, "get llamas");
}

async function podsOf({ client, signal }: Stage, name: string): Promise<readonly Live<Pod>[]> {
  const labelSelector = `llama-operator.dev/deployment=${name}`;
  return (await client.list(pods, { namespace, labelSelector, signal })).items;
}

function isPodReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
}

async function read({ client, signal }: Stage, name: string): Promise<LlamaDeployment> {
  return client.get(llamaDeployments, { namespace, name }, { signal });
}

/** Shows the command, runs it with the cluster's own kubectl, shows its output. */
async function kubectl({ cluster, screen, signal }: Stage, args: string): Promise<void> {
  screen.command(`kubectl ${args}`);
  printOutput(screen, await run([...cluster.kubectl, ...args.split(" ")], { signal }));
}

function printOutput(screen: Screen, text: string): void {
  for (const line of text.trimEnd().split("\n")) if (line !== "") screen.line(line);
}

/** Breaks at spaces. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
