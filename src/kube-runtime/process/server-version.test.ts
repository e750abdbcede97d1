import { beforeEach, expect, test } from "vitest";
import { ApiError, ConnectionError } from "../client/errors.ts";
import type { LogFields, Logger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { requireServerVersion, runtimeServerVersion, ServerVersionError } from "./server-version.ts";

let clock: FakeClock;
let warnings: string[];

beforeEach(() => {
  clock = new FakeClock();
  warnings = [];
});

const ignore = (_message: string, _fields?: LogFields): void => undefined;
const logger: Logger = {
  debug: ignore,
  info: ignore,
  warn: (message) => void warnings.push(message),
  error: ignore,
  child: () => logger,
};

/** Judges a server that answers `/version` with what `answer` returns or throws. */
async function judge(answer: () => unknown, signal?: AbortSignal): Promise<void> {
  const asked: string[] = [];
  const client = {
    raw: async (path: string) => {
      asked.push(path);
      const page = answer();
      return typeof page === "string" ? page : JSON.stringify(page);
    },
  };
  await requireServerVersion(client, {
    least: "1.35",
    because: "it cannot count before",
    clock,
    random: () => 0,
    logger,
    signal,
  });
  expect(new Set(asked)).toEqual(new Set(["/version"]));
}

test.for([
  [{ major: "1", minor: "35", gitVersion: "v1.35.4" }],
  [{ major: "1", minor: "35+", gitVersion: "v1.35.2-eks-abc" }],
  [{ major: "1", minor: "36+", gitVersion: "v1.36.0-gke.1" }],
  [{ major: "1", minor: "35", gitVersion: "v1.35.0+k3s1" }],
  [{ major: "1", minor: "100", gitVersion: "v1.100.0" }],
  [{ major: "2", minor: "0", gitVersion: "v2.0.0" }],
  // A vendor's own number, and a page with nothing but the build.
  [{ major: "1", minor: "35", gitVersion: "v4.22.1" }],
  [{ gitVersion: "v1.36.0-gke.1" }],
])("a server of %j is taken", async ([page]) => {
  await judge(() => page);
  expect(warnings).toEqual([]);
});

test.for([
  [{ major: "1", minor: "34+", gitVersion: "v1.34.3-gke.1444000" }, "v1.34.3-gke.1444000"],
  [{ major: "1", minor: "34", gitVersion: "v1.34.9+k3s1" }, "v1.34.9+k3s1"],
  [{ major: "1", minor: "3", gitVersion: "v1.3.50" }, "v1.3.50"],
  [{ major: "1", minor: "34+", gitVersion: "" }, "1.34+"],
  [{ gitVersion: "v1.34.0" }, "v1.34.0"],
  // A vendor's number does not make it newer.
  [{ major: "1", minor: "31", gitVersion: "v4.18.2" }, "v4.18.2"],
] as const)("a server of %j is refused, by name", async ([page, version]) => {
  const message = `the API server is Kubernetes ${version}, and 1.35 or later is needed, because it cannot count before`;
  await expect(judge(() => page)).rejects.toThrow(message);
});

test.for([
  ["no JSON", "ok"],
  ["JSON that is no object", "null"],
  ["a build without stamps", { major: "", minor: "", gitVersion: "v0.0.0-master+$Format:%H$" }],
  ["fields of other types", { major: 1, minor: 34 }],
])("a server that does not say its version (%s) is taken, with a warning", async ([, page]) => {
  await judge(() => page);
  expect(warnings).toEqual(["the API server does not say its version; assuming that it is new enough"]);
});

test("a server that lets us not read its version is taken, with a warning", async () => {
  await judge(() => {
    throw new ApiError("GET /version", { code: 403, reason: "Forbidden" });
  });
  expect(warnings).toHaveLength(1);
});

test("a server that is away is asked until it answers, and then judged", async () => {
  let asked = 0;
  const refusal = judge(() => {
    asked += 1;
    if (asked < 4) throw new ConnectionError("connect", "GET /version");
    return { major: "1", minor: "34", gitVersion: "v1.34.0" };
  });
  await Promise.all([expect(refusal).rejects.toThrow(ServerVersionError), clock.advance(60_000)]);
  expect([asked, warnings.length]).toEqual([4, 3]);
});

test("a server that stays away is given up after two minutes, with the connection's error", async () => {
  const error = new ConnectionError("connect", "GET /version");
  const refusal = judge(() => {
    throw error;
  });
  await Promise.all([expect(refusal).rejects.toBe(error), clock.advance(140_000)]);
  expect(clock.pendingTimers).toBe(0);
});

test("any other refusal is not tried again", async () => {
  const error = new ApiError("GET /version", { code: 400, reason: "BadRequest" });
  await expect(
    judge(() => {
      throw error;
    }),
  ).rejects.toBe(error);
});

test("a stop ends the wait with its reason", async () => {
  const stopping = new AbortController();
  const waiting = judge(() => {
    throw new ConnectionError("connect", "GET /version");
  }, stopping.signal);
  const reason = new Error("SIGTERM");
  await clock.advance(100);
  stopping.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test("the runtime rests on the order of resourceVersions", () => {
  const error = new ServerVersionError("v1.34.3", runtimeServerVersion);
  expect(error.message).toBe(
    "the API server is Kubernetes v1.34.3, and 1.35 or later is needed, because before it resourceVersions have no order that may be relied on (KEP-5504)",
  );
});
