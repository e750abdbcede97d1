// The flags of `llama-operator run`: what they are set to by default, and what is refused before anything is tried.
import { describe, expect, test } from "vitest";
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
