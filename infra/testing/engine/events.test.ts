import { expect, test } from "vitest";

import { errors, parseEventLog, resourceChanges, steps } from "./events.ts";

const urn = "urn:pulumi:test::project::kubernetes:core/v1:Namespace::models";
const metadata = { op: "create", type: "kubernetes:core/v1:Namespace", urn };

test("a log tells the steps, the errors and the counts; a line cut short is left out", () => {
  const lines = [
    { sequence: 1, resourcePreEvent: { metadata } },
    { sequence: 2, diagnosticEvent: { message: "no room\n", severity: "error" } },
    { sequence: 3, summaryEvent: { resourceChanges: { create: 1 } } },
  ];
  const events = parseEventLog(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"sequence":4,`);
  expect(steps(events)).toEqual(["create kubernetes:core/v1:Namespace models"]);
  expect(errors(events)).toEqual(["no room"]);
  expect(resourceChanges(events)).toEqual({ create: 1 });
});
