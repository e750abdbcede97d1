// What the state of this very stack holds, read by its own program before it registers anything.
//
// Guarantees, as the engine's own code and test/infra/guards.test.ts show
// - Before the first `up` there is nothing.
// - The state follows each resource: what an `up` that failed has made, replaced or deleted is in it as it is.
// - Reading registers nothing.
//
// Caveats
// - A resource that was deleted to be replaced, and whose successor could not be made, is still in it, as it was.
import { getOrganization, getProject, getStack, runtime } from "@pulumi/pulumi";

/** A resource of the state. */
export interface StateEntry {
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The engine's own function, which no SDK wraps: pulumi/pulumi:pkg/resource/deploy/builtins.go. */
const readStack = "pulumi:pulumi:readStackResourceOutputs";

/** The stack's resources by their URNs, as they are before this run. */
export async function stateOfThisStack(): Promise<ReadonlyMap<string, StateEntry>> {
  const stackName = `${getOrganization()}/${getProject()}/${getStack()}`;
  const { outputs } = (await runtime.invoke(readStack, { stackName })) as {
    readonly outputs: Readonly<Record<string, StateEntry>>;
  };
  return new Map(Object.entries(outputs));
}
