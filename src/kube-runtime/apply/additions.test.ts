import { describe, expect, test } from "vitest";
import { findAdditions } from "./additions.ts";

const engine = {
  name: "engine",
  image: "vllm",
  env: [{ name: "A", value: "1" }],
  ports: [{ containerPort: 8000 }],
};
const applied = { spec: { template: { spec: { containers: [engine], volumes: [{ name: "tmp" }] } } } };

function found(spec: object) {
  return findAdditions(applied, { spec: { template: { spec: { ...applied.spec.template.spec, ...spec } } } });
}

describe("what others added to lists", () => {
  test("is nothing where the server only filled in defaults", () => {
    const filled = {
      ...engine,
      imagePullPolicy: "IfNotPresent",
      ports: [{ containerPort: 8000, protocol: "TCP" }],
    };
    expect(found({ containers: [filled], restartPolicy: "Always", tolerations: [] })).toBeUndefined();
  });

  test("is named, and the patch holds the list as it was applied", () => {
    const env = [{ name: "B", value: "2" }, ...engine.env];
    expect(found({ containers: [{ ...engine, env }] })).toEqual({
      paths: ['spec.template.spec.containers["engine"].env["B"]'],
      patch: { spec: { template: { spec: { containers: [engine] } } } },
    });
  });

  test("goes as a whole where nothing of the list was applied", () => {
    expect(found({ tolerations: [{ operator: "Exists" }], initContainers: [{ name: "debug" }] })).toEqual({
      paths: ["spec.template.spec.tolerations", 'spec.template.spec.initContainers["debug"]'],
      patch: { spec: { template: { spec: { tolerations: null, initContainers: null } } } },
    });
  });

  test("does not count what the server changes elsewhere", () => {
    const live = {
      ...applied,
      status: { conditions: [{ type: "Available" }] },
      metadata: { finalizers: ["a"] },
    };
    expect(findAdditions(applied, live)).toBeUndefined();
  });
});
