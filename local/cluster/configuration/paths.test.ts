import { expect, test } from "vitest";
import { cacheFolder, checkedName, stateFolder } from "./paths.ts";

test("built programs lie in the XDG cache, clusters in the XDG state", () => {
  expect(cacheFolder({ HOME: "/home/ada", XDG_CACHE_HOME: "/fast" })).toBe("/fast/llama-operator/programs");
  expect(stateFolder("demo", { HOME: "/home/ada", XDG_STATE_HOME: "/state" })).toBe(
    "/state/llama-operator/demo",
  );
});

test("without XDG variables, and with relative ones, the folders of the home directory are used", () => {
  for (const relative of [{}, { XDG_CACHE_HOME: "cache", XDG_STATE_HOME: "state" }]) {
    const environment = { HOME: "/home/ada", ...relative };
    expect(cacheFolder(environment)).toBe("/home/ada/.cache/llama-operator/programs");
    expect(stateFolder("demo", environment)).toBe("/home/ada/.local/state/llama-operator/demo");
  }
});

test.each(["", "..", "a/b", "Upper", "-a", "a-", "a".repeat(41)])("%j is no cluster name", (name) => {
  expect(() => checkedName(name)).toThrow("lower-case letters, digits and inner hyphens");
});

test.each(["a", "default", "run-7", "a".repeat(40)])("%j is a cluster name", (name) => {
  expect(checkedName(name)).toBe(name);
});
