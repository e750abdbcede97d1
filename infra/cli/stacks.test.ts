import { expect, test } from "vitest";
import type { PulumiRunner } from "./sequence.ts";
import { parseStackName } from "./stack-name.ts";
import { makeStack, missingStacks } from "./stacks.ts";

/** A CLI whose projects have these stacks, as `pulumi stack ls` names them; it writes down what it is asked. */
function withStacks(
  stacks: { readonly platform: readonly string[]; readonly serving: readonly string[] },
  failure?: string,
): PulumiRunner & { readonly calls: readonly string[] } {
  const calls: string[] = [];
  return {
    calls,
    show: async () => 1,
    read: async (project, args) => {
      calls.push(`${project}: ${args.join(" ")}`);
      if (failure !== undefined) return { exitCode: 255, output: `${failure}\n`, standardOutput: "" };
      const standardOutput = JSON.stringify(stacks[project].map((name) => ({ name, current: false })));
      return { exitCode: 0, output: `warning: a new version is there\n${standardOutput}`, standardOutput };
    },
  };
}

test("only the projects without a stack of the name are missing", async () => {
  const pulumi = withStacks({ platform: ["dev", "prod"], serving: ["prod-eu"] });
  expect(await missingStacks(pulumi, parseStackName("prod"))).toEqual(["serving"]);
  expect(pulumi.calls).toEqual(["platform: stack ls --json", "serving: stack ls --json"]);
});

test("a stack of an organization is found whether Pulumi names the organization or leaves the person's own out", async () => {
  const pulumi = withStacks({ platform: ["acme/prod"], serving: ["prod"] });
  expect(await missingStacks(pulumi, parseStackName("acme/prod"))).toEqual([]);
  expect(pulumi.calls[0]).toBe("platform: stack ls --json --organization acme");
});

test("a stack of another organization is not the person's own", async () => {
  const pulumi = withStacks({ platform: ["acme/prod"], serving: ["prod"] });
  expect(await missingStacks(pulumi, parseStackName("prod"))).toEqual(["platform"]);
});

test("where Pulumi does not say, it is not taken for missing: its own words are the failure", async () => {
  const pulumi = withStacks({ platform: [], serving: [] }, "error: PULUMI_ACCESS_TOKEN must be set");
  await expect(missingStacks(pulumi, parseStackName("prod"))).rejects.toThrow(
    /^error: PULUMI_ACCESS_TOKEN must be set$/,
  );
});

test("a stack is made with its organization, and its secrets are encrypted by the provider that is named", async () => {
  const pulumi = withStacks({ platform: [], serving: [] });
  await makeStack(pulumi, "platform", parseStackName("acme/prod"), "gcpkms://key");
  await makeStack(pulumi, "serving", parseStackName("prod"), undefined);
  expect(pulumi.calls).toEqual([
    "platform: stack init acme/prod --no-select --secrets-provider gcpkms://key",
    "serving: stack init prod --no-select",
  ]);
});

test("why a stack could not be made is said in Pulumi's words", async () => {
  const pulumi = withStacks({ platform: [], serving: [] }, "error: forbidden");
  await expect(makeStack(pulumi, "serving", parseStackName("prod"), undefined)).rejects.toThrow(
    "the stack prod of serving could not be made:\nerror: forbidden",
  );
});
