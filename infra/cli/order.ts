// Which of the two projects comes first in `up`. The platform does, but for a run that only takes something away from it:
// then what serves leaves before its nodes do. A run that does both asks for the platform first, whose program refuses to
// take nodes away from models that are still there.
import { coversPools, hasMorePools } from "../platform/outputs.ts";
import type { RecordedPools } from "../platform/outputs.ts";
import type { ProjectName, PulumiRunner } from "./sequence.ts";

const platformFirst: readonly ProjectName[] = ["platform", "serving"];
const servingFirst: readonly ProjectName[] = ["serving", "platform"];

/** @param wanted the configured pools, where they are known without Pulumi */
export async function orderOf(
  pulumi: PulumiRunner,
  stack: string,
  wanted: RecordedPools | undefined,
): Promise<readonly ProjectName[]> {
  if (wanted === undefined) return platformFirst;
  const args = ["stack", "output", "--json", "--stack", stack];
  const { exitCode, standardOutput } = await pulumi.read("platform", args);
  // A stack that is not there yet, or cannot be read, Pulumi itself speaks of in the run.
  const recorded = exitCode === 0 ? poolsIn(standardOutput) : undefined;
  const onlyLess = recorded !== undefined && coversPools(recorded, wanted) && hasMorePools(recorded, wanted);
  return onlyLess ? servingFirst : platformFirst;
}

function poolsIn(outputs: string): RecordedPools | undefined {
  const { pools } = JSON.parse(outputs) as { readonly pools?: RecordedPools };
  return pools;
}
