// The policy pack as Pulumi starts it: serves the policies until the engine ends it.
import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies.ts";

export const pack = new PolicyPack("llama-operator", {
  policies: [...policies],
  enforcementLevel: "mandatory",
});
