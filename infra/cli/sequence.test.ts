import { expect, test } from "vitest";
import { destroy, destroyWithoutCluster, preview, up } from "./sequence.ts";
import type { PulumiRunner } from "./sequence.ts";

/** A CLI that writes down what it is asked; `failing` is the call that ends with 1. */
function recorder(failing?: string): PulumiRunner & { readonly calls: readonly string[] } {
  const calls: string[] = [];
  const record = (project: string, args: readonly string[]) => {
    const call = `${project}: ${args.join(" ")}`;
    calls.push(call);
    return call === failing ? 1 : 0;
  };
  return {
    calls,
    show: async (project, args) => record(project, args),
    read: async (project, args) => ({ exitCode: record(project, args), output: "", standardOutput: "" }),
  };
}

const options = { stack: "local", yes: true, announce: () => {}, say: () => {} };

const pool = (name: string, nodes: number) => ({ name, nodes, spec: {} });
const configured = { pools: [pool("h100", 2)], allowReplace: [], areMade: true };

/** A CLI whose platform has these pools, and whose engine would take this step with one of them. */
function engine(there: readonly object[], op: string) {
  const urn =
    "urn:pulumi:s::llama-platform::llama-operator:eks:GpuNodePool$aws:eks/nodeGroup:NodeGroup::h100";
  const answers: Readonly<Record<string, object>> = {
    stack: { pools: there },
    preview: { steps: [{ op, urn, replaceReasons: ["subnetIds"] }] },
  };
  const written = recorder();
  const read: PulumiRunner["read"] = async (project, args) => ({
    ...(await written.read(project, args)),
    standardOutput: JSON.stringify(answers[args[0] ?? ""]),
  });
  return { ...written, read };
}

test("up runs the platform before what serves on it", async () => {
  const pulumi = recorder();
  await up(pulumi, options);
  expect(pulumi.calls).toEqual(["platform: up --yes --stack local", "serving: up --yes --stack local"]);
});

test("without --yes it is Pulumi that asks", async () => {
  const pulumi = recorder();
  await up(pulumi, { ...options, yes: false });
  expect(pulumi.calls).toEqual(["platform: up --stack local", "serving: up --stack local"]);
});

test("what serves is not touched when the platform fails", async () => {
  const pulumi = recorder("platform: up --yes --stack local");
  await expect(up(pulumi, options)).rejects.toThrow("pulumi up --yes failed in infra/platform");
  expect(pulumi.calls).toHaveLength(1);
});

test("a preview changes nothing and shows both", async () => {
  const pulumi = recorder();
  await preview(pulumi, options);
  expect(pulumi.calls).toEqual(["platform: preview --stack local", "serving: preview --stack local"]);
});

test("everything is previewed before anything is destroyed, and the platform goes last", async () => {
  const pulumi = recorder();
  await destroy(pulumi, options);
  expect(pulumi.calls).toEqual([
    "serving: destroy --preview-only --stack local",
    "platform: destroy --preview-only --stack local",
    "serving: destroy --yes --stack local",
    "platform: destroy --yes --stack local",
  ]);
});

test("a protected resource anywhere ends a destroy before anything is gone", async () => {
  const pulumi = recorder("platform: destroy --preview-only --stack local");
  await expect(destroy(pulumi, options)).rejects.toThrow("infra/platform");
  expect(pulumi.calls).toEqual([
    "serving: destroy --preview-only --stack local",
    "platform: destroy --preview-only --stack local",
  ]);
});

test("a project without a stack is left out", async () => {
  const pulumi = recorder();
  await destroy(pulumi, { ...options, only: ["platform"] });
  expect(pulumi.calls).toEqual([
    "platform: destroy --preview-only --stack local",
    "platform: destroy --yes --stack local",
  ]);
});

test("without its cluster, what serves is forgotten once the platform may go, and the platform goes alone", async () => {
  const pulumi = recorder();
  await destroyWithoutCluster(pulumi, options);
  expect(pulumi.calls).toEqual([
    "platform: destroy --preview-only --stack local",
    "serving: state delete --all --force --yes --stack local",
    "platform: destroy --yes --stack local",
  ]);
});

test("a protected pool of a lost cluster is found before anything is forgotten", async () => {
  const pulumi = recorder("platform: destroy --preview-only --stack local");
  await expect(destroyWithoutCluster(pulumi, options)).rejects.toThrow("infra/platform");
  expect(pulumi.calls).toHaveLength(1);
});

test("what the engine would replace, and nobody has named, ends up before it begins, whatever the tables know", async () => {
  const pulumi = engine([pool("h100", 2)], "replace");
  await expect(up(pulumi, { ...options, configured })).rejects.toThrow(
    "Pulumi would replace 1 GPU pool; nothing was done\n  pool h100: replaced for subnetIds",
  );
  expect(pulumi.calls.filter((call) => call.includes(": up"))).toEqual([]);
  await expect(preview(pulumi, { ...options, configured })).rejects.toThrow("allowReplace: [h100]");
  const said: string[] = [];
  await up(pulumi, {
    ...options,
    configured: { ...configured, allowReplace: ["h100"] },
    say: (text) => said.push(text),
  });
  expect(said).toEqual(["pool h100, up to 2 nodes: replaced for subnetIds"]);
});

test("of pools that no cloud makes the engine is not asked", async () => {
  const pulumi = engine([pool("h100", 2)], "replace");
  await up(pulumi, { ...options, configured: { ...configured, areMade: false } });
  expect(pulumi.calls).toEqual([
    "platform: stack output --json --stack local",
    "platform: up --yes --stack local",
    "serving: up --yes --stack local",
  ]);
});

test("where the platform only shrinks, what serves leaves first", async () => {
  const pulumi = engine([pool("h100", 3), pool("old", 1)], "update");
  await up(pulumi, { ...options, configured });
  expect(pulumi.calls).toEqual([
    "platform: stack output --json --stack local",
    "serving: up --yes --stack local",
    "platform: preview --json --stack local",
    "platform: up --yes --stack local",
  ]);
});
