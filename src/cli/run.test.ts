// The flags of `llama-operator run`: what they are set to by default, and what is refused before anything is tried.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import { Command } from "commander";
import { operatorConfig } from "@llama-operator/operator";
import { configOf, optionsOf } from "./config-options.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCommandLine } from "./testing/run-command-line.ts";

/** The configuration that these flags give. */
function configured(...flags: readonly string[]) {
  const command = new Command();
  for (const option of optionsOf(operatorConfig)) command.addOption(option);
  command.parse(flags, { from: "user" });
  return configOf(operatorConfig, command.opts());
}

test("without flags everything is at the schema's defaults", () => {
  expect(configured()).toEqual(operatorConfig.parse({}));
  expect(configured()).toMatchObject({ leaderElect: true, healthPort: 8081, webhookPort: null, workers: 16 });
});

test("every setting has a flag, and each flag sets its own", () => {
  const flags = [
    "--no-leader-elect",
    "--lease-namespace=operators",
    "--lease-duration=60",
    "--renew-deadline=40",
    "--retry-period=5",
    "--health-port=0",
    "--metrics-port=9090",
    "--webhook-port=65535",
    "--webhook-host=127.0.0.1",
    "--webhook-configuration=mine",
    "--workers=1",
    "--no-engine-reports",
    "--log-level=debug",
  ];
  expect(flags).toHaveLength(Object.keys(operatorConfig.shape).length);
  expect(configured(...flags)).toEqual({
    leaderElect: false,
    leaseNamespace: "operators",
    leaseDurationSeconds: 60,
    renewDeadlineSeconds: 40,
    retryPeriodSeconds: 5,
    healthPort: 0,
    metricsPort: 9090,
    webhookPort: 65_535,
    webhookHost: "127.0.0.1",
    webhookConfiguration: "mine",
    workers: 1,
    engineReports: false,
    logLevel: "debug",
  });
});

describe("is refused with the flag, what was given, and what may be", () => {
  test.each([
    [["--workers=0"], "--workers 0: must be a whole number from 1 to 65535"],
    [["--workers=1e2"], "--workers 1e2: must be a whole number from 1 to 65535"],
    [["--health-port=65536"], "--health-port 65536: must be a whole number from 0 to 65535"],
    [["--webhook-port=https"], "--webhook-port https: must be a whole number from 0 to 65535"],
    [["--lease-namespace="], "--lease-namespace: must not be empty"],
    [["--lease-duration=10"], "--renew-deadline 10: must be shorter than --lease-duration (10 s)"],
    [["--retry-period=10"], "--retry-period 10: must be shorter than --renew-deadline (10 s)"],
    [
      ["--log-level=loud"],
      "'--log-level <level>' argument 'loud' is invalid. Allowed choices are debug, info",
    ],
  ])("%s", async (flags, message) => {
    const { code, err, out } = await runCommandLine(["run", ...flags]);
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain(message);
    expect(out).toBe("");
  });
});

test("an API server that is too old is refused with what it is, what is needed, and why", async () => {
  const paths: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    paths.push(url);
    response.end(JSON.stringify({ major: "1", minor: "34", gitVersion: "v1.34.3-gke.1444000" }));
  });
  const port = await listen(server, { host: "127.0.0.1" });
  onTestFinished(async () => closeServer(server));
  const folder = await mkdtemp(join(tmpdir(), "llama-operator-run-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "old",
    clusters: [
      { name: "old", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    contexts: [{ name: "old", context: { cluster: "old", user: "me" } }],
    users: [{ name: "me", user: {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const flags = ["--no-leader-elect", "--health-port=0", "--metrics-port=0", "--log-level=silent"];
  const { code, err } = await runCommandLine(["run", `--kubeconfig=${kubeconfig}`, ...flags]);
  expect(err).toBe(
    "error: the API server is Kubernetes v1.34.3-gke.1444000, and 1.35 or later is needed, because before it " +
      "resourceVersions have no order that may be relied on (KEP-5504)\n",
  );
  expect(code).toBe(exitCodes.cluster);
  expect(paths).toEqual(["/version"]);
});
