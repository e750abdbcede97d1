import { describe, expect, test } from "vitest";
import { allRanks, objectLabels, plannedByUs, podLabels, servingPods, servingSelector } from "./labels.ts";

describe("labels", () => {
  test("let the Service and /scale select serving pods of every revision, and nothing else", () => {
    const selector = servingPods("chat");
    const selects = (labels: Record<string, string>) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value);
    expect(selects(podLabels("chat", "0123456789", "serving"))).toBe(true);
    expect(selects(podLabels("chat", "abcdef0123", "serving"))).toBe(true);
    expect(selects(podLabels("chat", "0123456789", "worker"))).toBe(false);
    expect(selects(podLabels("other", "0123456789", "serving"))).toBe(false);
    expect(servingSelector("chat")).toBe(
      "llama-operator.dev/deployment=chat,llama-operator.dev/role=serving",
    );
  });

  test("let the disruption budget select headless ranks too", () => {
    expect(podLabels("chat", "0123456789", "worker")).toMatchObject(allRanks("chat"));
  });

  test("tell the operator's objects from those of others", () => {
    expect(plannedByUs(objectLabels("chat"))).toBe(true);
    expect(plannedByUs({ "llama-operator.dev/deployment": "chat" })).toBe(false);
    expect(plannedByUs({ "app.kubernetes.io/managed-by": "Helm" })).toBe(false);
    expect(plannedByUs(undefined)).toBe(false);
  });
});
