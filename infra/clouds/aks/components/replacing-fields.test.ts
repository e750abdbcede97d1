import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { agentPoolReplacingFields } from "./replacing-fields.ts";

const sdk = createRequire(import.meta.url).resolve("@pulumi/azure-native/containerservice/agentPool.js");
const source = readFileSync(sdk, "utf8");

test.each(agentPoolReplacingFields)("$field is an argument of the SDK's AgentPool", ({ field }) => {
  expect(source).toContain(`resourceInputs["${field.split(".")[0]}"] = args`);
});
