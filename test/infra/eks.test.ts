// The example of EKS with the real engine, unchanged but for the operator's image: from an empty account to 405B that
// answers, and back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import { type CloudStack, cloudStack, platform, serving } from "../support/cloud-stack.ts";

const stack = "eks-p5";
const reservation = {
  name: "cr-0123456789abcdef0",
  zone: "us-east-1a",
  machineType: "p5.48xlarge",
  count: 3,
};
const nodeGroup = "aws:eks/nodeGroup:NodeGroup";

let eks: CloudStack;

beforeAll(async () => {
  eks = await cloudStack(stack, (cleanUp) => afterAll(cleanUp));
  await eks.engine.clouds.setAccount({ reservations: [reservation] });
});

const gpuNodes = async (): Promise<string> =>
  eks.get(
    "nodes",
    "-l",
    "eks.amazonaws.com/nodegroup=h100",
    "-o",
    String.raw`jsonpath={range .items[*]}{.status.allocatable.nvidia\.com/gpu} {.status.allocatable.vpc\.amazonaws\.com/efa} {.metadata.labels.topology\.kubernetes\.io/zone}{"\n"}{end}`,
  );
const oneNode = "8 32 us-east-1a\n";

describe.sequential("the stack eks-p5", () => {
  test("is previewed without asking AWS for more than it can read", async () => {
    expect(await eks.runAll("preview", [platform, serving])).toEqual([0, 0]);
    expect(eks.engine.clouds.read().records).toEqual([]);
    const asked = eks.engine.clouds.requests().map(({ operation }) => operation);
    expect(new Set(asked)).toEqual(new Set(["invoke"]));
  });

  test("goes up until 405B answers", async () => {
    expect(await eks.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await gpuNodes()).toBe(oneNode.repeat(2));
    expect(await eks.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });
});
