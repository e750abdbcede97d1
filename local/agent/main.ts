// The process beside a local cluster: `node local/agent/main.ts --kubeconfig FILE --proxy-url URL`. It prints one line
// when it is ready and ends cleanly on SIGTERM or SIGINT.
import { BlockList } from "node:net";
import { Command, InvalidArgumentError } from "commander";
import { realClock } from "../engine/clock.ts";
import { parseProgram, type ProgramTable } from "../kubelet/programs/program-table.ts";
import { loadClusterConfig, KubeConnection, HttpKubeClient } from "@llama-operator/kube-runtime/connection";
import { type ProxyAddress, startAgent } from "./agent.ts";

interface Flags {
  readonly kubeconfig: string;
  readonly podCidr: BlockList;
  readonly proxyUrl: ProxyAddress;
  readonly speedup: number;
  readonly generationSpeedup?: number;
  readonly kubeletSpeedup: number;
  readonly loadBytesPerSecond: number;
  readonly logDir?: string;
  readonly program: ProgramTable;
  readonly volumesDir: string;
}

const program = new Command("agent")
  .description("Simulated kubelets and engines, and a proxy that stands for Services and DNS")
  .requiredOption("--kubeconfig <file>", "kubeconfig of the local cluster")
  .option("--pod-cidr <cidr>", "only pods with addresses in there are run", subnet, subnet("127.0.0.0/8"))
  .requiredOption("--proxy-url <url>", "where the proxy listens: http://127.x.y.z:port", proxyAddress)
  .option("--speedup <factor>", "how many times faster engines load and start", factor, 1)
  .option("--generation-speedup <factor>", "the same for prefill and decode (default: --speedup)", factor)
  .option(
    "--kubelet-speedup <factor>",
    "the same for probes, restart delays, preStop and grace periods",
    factor,
    1,
  )
  .option("--load-bytes-per-second <bytes>", "how fast a node reads weights", factor, 3.5e9)
  .option("--log-dir <folder>", "append the output of every container to a file there")
  .option(
    "--program <image=command>",
    "run containers of this image as a process of this machine; the command is a JSON list; may be repeated",
    entry,
    new Map<string, readonly string[]>(),
  )
  .requiredOption("--volumes-dir <folder>", "where such processes find their volumes");

await run(program.parse().opts<Flags>());

async function run(flags: Flags): Promise<void> {
  const stop = new Promise<void>((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
  const config = await loadClusterConfig({ kubeconfig: flags.kubeconfig, env: {} });
  const connection = new KubeConnection(config, { userAgent: "llama-operator-local-agent" });
  const { hostname, port } = new URL(config.server);
  const agent = await startAgent({
    client: new HttpKubeClient(connection),
    clock: realClock,
    ownsAddress: (address) => flags.podCidr.check(address),
    proxyAt: flags.proxyUrl,
    speedup: flags.speedup,
    generationSpeedup: flags.generationSpeedup ?? flags.speedup,
    kubeletSpeedup: flags.kubeletSpeedup,
    loadBytesPerSecond: flags.loadBytesPerSecond,
    logDirectory: flags.logDir,
    programs: {
      table: flags.program,
      directory: flags.volumesDir,
      apiServer: { host: hostname, port },
      searchPath: process.env["PATH"] ?? "",
    },
    onError: (error) =>
      console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  });
  await Promise.race([agent.synced, stop]);
  console.log(`ready: proxy at http://${flags.proxyUrl.host}:${flags.proxyUrl.port}`);
  await stop;
  await agent.stop();
  await connection.close();
}

/** Addresses that engines may listen at; anything but loopback would leave this machine. */
function subnet(text: string): BlockList {
  const [address = "", prefix = ""] = text.split("/");
  if (!address.startsWith("127.")) throw new InvalidArgumentError("not a subnet of 127.0.0.0/8");
  const list = new BlockList();
  try {
    list.addSubnet(address, Number(prefix));
  } catch {
    throw new InvalidArgumentError("not a subnet");
  }
  return list;
}

/** One more entry of the table of programs. */
function entry(text: string, before: ProgramTable): ProgramTable {
  try {
    return new Map([...before, parseProgram(text)]);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** Not beyond loopback: the proxy does not authenticate. */
function proxyAddress(text: string): ProxyAddress {
  const { protocol, hostname = "", port } = URL.parse(text) ?? {};
  if (protocol === "http:" && hostname.startsWith("127.") && port !== "")
    return { host: hostname, port: Number(port) };
  throw new InvalidArgumentError("not http://127.x.y.z:port");
}

function factor(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("not a number above zero");
}
