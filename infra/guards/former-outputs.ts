// What this stack's last whole `up` left as its outputs, read by the program of the same stack.
//
// Guarantees, as the engine's own code and test/infra/guards.test.ts show
// - Before the first `up` there are none.
// - A program that fails, in a preview or an `up`, leaves them as they were.
//
// Caveats
// - Pulumi writes outputs when all of an `up` has succeeded: what one that failed has made or replaced is not in them.
import { StackReference, getOrganization, getProject, getStack } from "@pulumi/pulumi";

/** The stack's outputs as they are before this run. Registers one StackReference, which makes nothing. */
export async function formerOutputs(): Promise<Readonly<Record<string, unknown>>> {
  const self = new StackReference("former-outputs", {
    name: `${getOrganization()}/${getProject()}/${getStack()}`,
  });
  return new Promise((resolve) => {
    self.outputs.apply((outputs) => resolve(outputs as Readonly<Record<string, unknown>>));
  });
}
