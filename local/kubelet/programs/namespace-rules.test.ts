import { describe, expect, test } from "vitest";
import { listenArguments, mountedPath, namespacesVariable, readNamespaces } from "./namespace-rules.ts";

describe("a path", () => {
  const mounts = { "/var/run/secrets": "/here/none", "/var/run/secrets/account": "/here/account" };

  test("is the innermost mount's", () => {
    expect(mountedPath("/var/run/secrets/account/token", mounts)).toBe("/here/account/token");
    expect(mountedPath("/var/run/secrets/other", mounts)).toBe("/here/none/other");
    expect(mountedPath("/var/run/secrets/account", mounts)).toBe("/here/account");
  });

  test("outside of every mount, and what is no path, stays as it is", () => {
    const url = new URL("file:///var/run/secrets/account/token");
    for (const path of ["/var/run/secrets-too", "var/run/secrets", url, 3]) {
      expect(mountedPath(path, mounts)).toBe(path);
    }
  });
});

describe("a server", () => {
  const listener = (): void => undefined;

  test.each([
    [[80], [80, "127.1.2.3"]],
    [
      [80, listener],
      [80, "127.1.2.3", listener],
    ],
    [
      [80, undefined, listener],
      [80, "127.1.2.3", listener],
    ],
    [
      [80, "0.0.0.0", 5, listener],
      [80, "127.1.2.3", 5, listener],
    ],
    [
      [{ port: 80, backlog: 5 }, listener],
      [{ port: 80, backlog: 5, host: "127.1.2.3" }, listener],
    ],
    [[{ port: 80, host: "::" }], [{ port: 80, host: "127.1.2.3" }]],
  ])("that leaves its address open has the pod's: %j", (given, wanted) => {
    expect(listenArguments(given, "127.1.2.3")).toEqual(wanted);
  });

  test.each([
    [[80, "127.0.0.1"]],
    [[{ port: 80, host: "127.0.0.1" }]],
    [["/a/socket"]],
    [[{ path: "/a/socket" }]],
  ])("that chose keeps what it chose: %j", (given) => {
    expect(listenArguments(given, "127.1.2.3")).toEqual(given);
  });
});

test("what the kubelet says is what the program reads", () => {
  const namespaces = { address: "127.1.2.3", mounts: { "/etc/x": "/here" }, lifeline: 3 };
  expect(readNamespaces(namespacesVariable(namespaces))).toEqual(namespaces);
});
