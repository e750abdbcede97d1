import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SimulatedProcess } from "../../engine/process.ts";
import { realClock } from "../../engine/clock.ts";
import { Rendezvous } from "../../engine/rendezvous.ts";
import { ContainerRunner } from "../container-runner.ts";
import { FaultLedger } from "../faults.ts";
import { LogRing } from "../log-ring.ts";
import type { Container, Pod } from "../pod.ts";
import { Runtime } from "../runtime.ts";
import { type ProgramHost, type ProgramOptions, startProgram } from "./program.ts";

// Real processes: a busy machine makes them slow, not wrong.
vi.setConfig({ testTimeout: 60_000 });

const address = `127.80.${process.pid % 250}.1`;
const image = "example.com/program:1";
const account = "/var/run/secrets/kubernetes.io/serviceaccount";

let directory: string;
let lines: string[];
const started: SimulatedProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "programs-"));
  lines = [];
});

afterEach(async () => {
  for (const each of started.splice(0)) {
    each.kill();
    await each.exited;
  }
  await rm(directory, { recursive: true });
});

function host(script: string): ProgramHost {
  return {
    table: new Map([["example.com/program", [process.execPath, "--input-type=module", "-e", script, "--"]]]),
    directory,
    apiServer: { host: "127.1.2.3", port: "6443" },
    searchPath: "",
    requestToken: async () => ({ token: "TOKEN", lifeSeconds: 3600 }),
  };
}

function podOf(container: Container): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "operator-1", namespace: "system", uid: "u-1", resourceVersion: "1" },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [container],
      volumes: [
        { name: "account", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
        { name: "settings", configMap: { name: "settings" } },
      ],
    },
    status: { podIP: address },
  };
}

async function start(
  script: string,
  container: Partial<Container> = {},
  more: Partial<ProgramOptions> = {},
): Promise<SimulatedProcess> {
  const whole: Container = { name: "program", image, ...container };
  const program = await startProgram({
    host: host(script),
    entrypoint: host(script).table.get("example.com/program") ?? [],
    pod: podOf(whole),
    container: whole,
    address,
    nodeAddress: undefined,
    env: { NAME: "value" },
    faults: {},
    readData: async () => ({ "a.yaml": "setting" }),
    clock: realClock,
    log: (line) => lines.push(line),
    ...more,
  });
  started.push(program);
  return program;
}

const waiting = "setInterval(() => {}, 1000);";

test("a program has its arguments, the container's environment and nothing of ours, and its output is the log", async () => {
  const script = `
    console.log(process.argv.slice(1).join(" "));
    console.error(Object.keys(process.env).sort().join(" "));
    process.exit(7);`;
  const program = await start(script, { args: ["run", "--name=$(NAME)"] });
  expect(await program.exited).toEqual({ exitCode: 7, oomKilled: false });
  expect(lines).toContain("run --name=value");
  expect(lines).toContain(
    "HOSTNAME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT NAME NODE_OPTIONS PATH SIMULATED_POD",
  );
});

test("it finds its volumes where they are mounted, and no secrets of this machine", async () => {
  const script = `
    import { existsSync, readFileSync } from "node:fs";
    import { readFile } from "node:fs/promises";
    console.log(await readFile("${account}/token", "utf8"), readFileSync("/etc/settings/a.yaml", "utf8"));
    console.log(existsSync("/var/run/secrets/other"), existsSync("/"));`;
  const program = await start(script, {
    volumeMounts: [
      { name: "account", mountPath: account },
      { name: "settings", mountPath: "/etc/settings" },
    ],
  });
  expect(await program.exited).toEqual({ exitCode: 0, oomKilled: false });
  expect(lines).toEqual(["TOKEN setting", "false true"]);
  expect(await readdir(directory)).toEqual([]);
});

const server = `
  import { createServer } from "node:http";
  createServer((_, response) => response.end("here")).listen(8081, () => console.log("listening"));`;

test("it listens at its pod's address, where it leaves the address open", async () => {
  await start(server);
  await vi.waitFor(() => expect(lines).toEqual(["listening"]), { timeout: 30_000 });
  expect(await (await fetch(`http://${address}:8081/`)).text()).toBe("here");
  await expect(fetch("http://127.80.255.254:8081/")).rejects.toThrow("fetch failed");
});

test("it may end in its own way at SIGTERM, and cannot refuse SIGKILL", async () => {
  const heedful = await start(`process.on("SIGTERM", () => process.exit(3)); console.log("up"); ${waiting}`);
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 30_000 });
  heedful.terminate();
  expect((await heedful.exited).exitCode).toBe(3);
  const deaf = await start(`process.on("SIGTERM", () => console.log("no")); console.log("up"); ${waiting}`);
  await vi.waitFor(() => expect(lines).toHaveLength(2), { timeout: 30_000 });
  deaf.terminate();
  await vi.waitFor(() => expect(lines).toHaveLength(3), { timeout: 30_000 });
  deaf.kill();
  expect((await deaf.exited).exitCode).toBe(137);
});

test("it ends with the kubelet that started it, however that ends", async () => {
  const kubelet = `
    import { startProgram } from "${new URL("program.ts", import.meta.url).href}";
    const container = { name: "program", image: "${image}" };
    const metadata = { name: "p", namespace: "n", uid: "u", resourceVersion: "1" };
    await startProgram({
      host: { table: new Map(), directory: "${directory}", apiServer: { host: "", port: "" }, searchPath: "" },
      entrypoint: [process.execPath, "-e", "console.log(process.pid); setInterval(() => {}, 1000)"],
      pod: { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container] } },
      container, address: "${address}", env: {}, faults: {}, log: (line) => console.log(line),
    });
    ${waiting}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", kubelet], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a command beside the entrypoint, a program that is missing and a fault at the start are what they are", async () => {
  await expect(start("", { command: ["sh"] })).rejects.toThrow("leave out command");
  await expect(start("", {}, { entrypoint: ["/no/such/program"] })).rejects.toThrow("ENOENT");
  const faulty = await start("", {}, { faults: { exitCode: 5 } });
  expect((await faulty.exited).exitCode).toBe(5);
  expect(await readdir(directory)).toEqual([]);
});

/** The container under a kubelet that is a hundred times as fast. */
function runnerOf(script: string, container: Partial<Container>): ContainerRunner {
  const whole: Container = { name: "program", image, ...container };
  const runtime = new Runtime({
    clock: realClock,
    unixSeconds: () => Math.floor(Date.now() / 1000),
    newId: () => "id",
    speedup: 1,
    generationSpeedup: 1,
    kubeletSpeedup: 20,
    loadBytesPerSecond: 1,
    rendezvous: new Rendezvous(),
    faults: new FaultLedger(),
    readData: async () => undefined,
    nodeOf: () => undefined,
    resolve: () => undefined,
    programs: host(script),
  });
  return new ContainerRunner({
    container: whole,
    pod: () => podOf(whole),
    address,
    runtime,
    log: new LogRing(undefined),
    restarted: false,
    onChange: () => undefined,
  });
}

test("its container says why it ended, and comes back with growing delays", async () => {
  const runner = runnerOf(`console.error("no cluster"); process.exit(4);`, {
    terminationMessagePolicy: "FallbackToLogsOnError",
  });
  const running = runner.run();
  await vi.waitFor(() => expect(runner.status.state?.waiting?.reason).toBe("CrashLoopBackOff"), {
    timeout: 30_000,
    interval: 10,
  });
  expect(runner.status.lastState?.terminated).toMatchObject({
    exitCode: 4,
    reason: "Error",
    message: "no cluster",
  });
  await runner.kill();
  await running;
});

test("its container is Ready while its probe is answered, and restarted when it hangs", async () => {
  const probe = {
    httpGet: { path: "/", port: 8081 },
    periodSeconds: 2,
    failureThreshold: 1,
    timeoutSeconds: 1,
  };
  const runner = runnerOf(server, {
    startupProbe: { ...probe, failureThreshold: 1000 },
    readinessProbe: probe,
    livenessProbe: probe,
  });
  const running = runner.run();
  await vi.waitFor(() => expect(runner.status.ready).toBe(true), { timeout: 30_000 });
  runner.inject({ hang: true });
  await vi.waitFor(() => expect(runner.status.restartCount).toBe(1), { timeout: 30_000 });
  expect(runner.status.lastState?.terminated?.exitCode).toBe(137);
  await vi.waitFor(() => expect(runner.status.ready).toBe(true), { timeout: 30_000 });
  await runner.kill();
  await running;
});
