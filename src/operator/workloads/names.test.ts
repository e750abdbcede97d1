import { describe, expect, test } from "vitest";
import { deploymentName } from "@llama-operator/llama/api";
import { controllerRevisionName, endpointUrl, workloadName, type Owner } from "./names.ts";

const owner: Owner = { name: "chat", namespace: "prod", uid: "7d0d1a52-0000-4000-8000-000000000001" };
const longest: Owner = { ...owner, name: "l".repeat(40) };
const revision = "0123456789";

describe("names", () => {
  test("of the longest LlamaDeployment leave room for everything that LeaderWorkerSet appends", () => {
    expect(longest.name).toMatch(deploymentName);
    const group = workloadName(longest, { hash: revision }, 999);
    // The LeaderWorkerSet is also a headless Service: RFC 1035.
    expect(group).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
    const workerStatefulSet = `${group}-0`;
    const controllerRevisionHashLabel = `${workerStatefulSet}-${"h".repeat(10)}`;
    const lastWorkerPod = `${workerStatefulSet}-63`;
    expect(controllerRevisionHashLabel.length).toBeLessThanOrEqual(63);
    expect(lastWorkerPod.length).toBeLessThanOrEqual(63);
  });

  test("of the longest LlamaDeployment leave room for a ReplicaSet's hash", () => {
    expect(`${workloadName(longest, { hash: revision })}-${"h".repeat(10)}`.length).toBeLessThanOrEqual(63);
    expect(controllerRevisionName(longest, revision).length).toBeLessThanOrEqual(63);
  });

  test("differ by owner's uid, by revision, by placement and by slot, and are otherwise the same each time", () => {
    const names = [
      workloadName(owner, { hash: revision }),
      workloadName(owner, { hash: revision }, 0),
      workloadName(owner, { hash: revision }, 1),
      workloadName(owner, { hash: revision, placement: "01234567" }),
      workloadName(owner, { hash: revision, placement: "01234567" }, 1),
      workloadName(owner, { hash: "abcdef0123" }),
      workloadName({ ...owner, uid: "7d0d1a52-0000-4000-8000-000000000002" }, { hash: revision }),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(workloadName({ ...owner }, { hash: revision })).toBe(names[0]);
  });

  test("give the URL that applications use", () => {
    expect(endpointUrl(owner)).toBe("http://chat.prod.svc/v1");
  });
});
