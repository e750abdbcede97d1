// The models that the serving stack of the same name left on the cluster, as the platform asks for them before it takes
// nodes away. Read by a function of the engine and not by a StackReference, which fails where there is no such stack yet.
import { RunError, getOrganization, getStack, runtime } from "@pulumi/pulumi";
import { servedModels } from "../guards/pools-in-use.ts";
import type { ServedModel } from "../guards/pools-in-use.ts";

/** pulumi/pulumi:pkg/resource/deploy/builtins.go, and backend/backend.go for what it says of a stack that is not there. */
const readOutputs = "pulumi:pulumi:readStackOutputs";
const unknownStack = /unknown stack/;

/** @throws RunError where it cannot be known: nodes are not taken away in the hope that nobody needs them */
export async function modelsServed(): Promise<readonly ServedModel[]> {
  const name = `${getOrganization()}/llama-serving/${getStack()}`;
  try {
    const { outputs } = (await runtime.invoke(readOutputs, { name })) as {
      readonly outputs: Readonly<Record<string, unknown>>;
    };
    return servedModels(outputs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (unknownStack.test(reason)) return [];
    throw new RunError(
      `this change takes nodes away, and which models run on them could not be read of the stack ${name}; nothing was done: ${reason}`,
    );
  }
}
