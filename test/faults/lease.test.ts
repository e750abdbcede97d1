// Leader election between processes that are killed and paused, on the real API server.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { sharedCluster, testNamespace } from "../support/cluster.ts";
import { configMaps, connect, connectedClient } from "../support/kube-client.ts";
import { electorFor, leaseTimes, writeWhileLeading } from "../support/leading.ts";

const cluster = sharedCluster();

/** A process that leads, once this returns. */
async function leader(namespace: string, identity: string): Promise<ChildProcess> {
  const script = new URL("../support/lease-holder.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, cluster.kubeconfigPath, namespace, identity], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  expect(line).toBe("leading");
  return child;
}

/** A candidate in this process that waits. `leading` resolves when it leads. */
async function standby(namespace: string, identity: string): Promise<{ readonly leading: Promise<number> }> {
  const connection = await connect(cluster.kubeconfigPath, `lease-test (${identity})`);
  const elector = electorFor(connection, namespace, identity);
  const end = new AbortController();
  const acquired = elector.acquire(end.signal).then(() => performance.now());
  const work = acquired
    .then(async () =>
      Promise.all([
        elector.hold(end.signal),
        writeWhileLeading(connection, elector, namespace, identity, end.signal),
      ]),
    )
    .catch(() => undefined);
  onTestFinished(async () => {
    end.abort(new Error("the test is over"));
    await work;
  });
  return { leading: acquired };
}

/** Who wrote the ConfigMap, in the order that the API server saw it, until the signal is aborted. */
async function writers(namespace: string, signal: AbortSignal): Promise<string[]> {
  const client = await connectedClient(cluster.kubeconfigPath);
  const { resourceVersion } = await client.list(configMaps, { namespace });
  const seen: string[] = [];
  try {
    for await (const event of client.watch(configMaps, { namespace, resourceVersion, signal })) {
      if (event.type === "BOOKMARK" || event.object.metadata.name !== "written") continue;
      const by = event.object.data?.["by"] ?? "";
      if (seen.at(-1) !== by) seen.push(by);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return seen;
}

test("a leader that is told to stop hands over within a second", async () => {
  const namespace = await testNamespace(cluster);
  const first = await leader(namespace, "first");
  const { leading } = await standby(namespace, "second");
  await sleep(500);
  const stoppedAt = performance.now();
  first.kill("SIGTERM");
  const tookMs = (await leading) - stoppedAt;
  expect(tookMs).toBeLessThan(3000);
});

test("a killed leader is replaced within the lease time and two seconds", async () => {
  const namespace = await testNamespace(cluster);
  const first = await leader(namespace, "first");
  const { leading } = await standby(namespace, "second");
  await sleep(500);
  const killedAt = performance.now();
  first.kill("SIGKILL");
  const tookMs = (await leading) - killedAt;
  expect(tookMs).toBeLessThan(leaseTimes.leaseDurationSeconds * 1000 + 2000);
});

test("a leader that was paused never writes again once another leads, and ends", async () => {
  const namespace = await testNamespace(cluster);
  const first = await leader(namespace, "first");
  const end = new AbortController();
  const writing = writers(namespace, end.signal);
  const { leading } = await standby(namespace, "second");
  await sleep(1000);
  first.kill("SIGSTOP");
  await leading;
  await sleep(1000);
  const exited = once(first, "exit");
  first.kill("SIGCONT");
  const [code] = (await exited) as [number | null];
  await sleep(500);
  end.abort(new Error("seen enough"));
  expect(await writing).toEqual(["first", "second"]);
  expect(code).toBe(3);
});
