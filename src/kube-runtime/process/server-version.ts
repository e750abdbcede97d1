// Refuses an API server that is too old before anything is read from it or written to it: what the runtime rests on
// and the server does not have would otherwise show as objects made twice, weeks later.
//
// Guarantees
// - A server that says an older version than the least one is refused, whatever else it says.
// - A server that is away is asked again for two minutes, as a cache waits for its first list.
// Caveats
// - A server that does not say its version (`/version` forbidden, or a build without a version) is accepted, with a
//   warning: it may well have what is needed.
import { Backoff } from "../backoff.ts";
import type { KubeClient } from "../client/client.ts";
import { isForbidden, isRetryable } from "../client/errors.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

/** The least version of Kubernetes that something needs. */
export interface ServerVersionNeed {
  /** `major.minor`. */
  readonly least: string;
  /** Completes "…, because": what is missing before that version. */
  readonly because: string;
}

/**
 * What this runtime rests on: a resourceVersion tells which of two states of a kind is newer. KEP-5504 made that a
 * promise, and a conformance test, in 1.35; before, resourceVersions were opaque, and only by habit integers.
 * Nothing has to be switched on for it. Streaming lists (WatchList) are not used.
 */
export const runtimeServerVersion: ServerVersionNeed = {
  least: "1.35",
  because: "before it resourceVersions have no order that may be relied on (KEP-5504)",
};

export interface ServerVersionOptions extends ServerVersionNeed {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal?: AbortSignal | undefined;
}

/** The API server is older than what is needed. */
export class ServerVersionError extends Error {
  override readonly name = "ServerVersionError";
  readonly code = "server_version";
  /** As the server says it, e.g. `v1.34.3-gke.1444000`. */
  readonly version: string;
  readonly least: string;

  constructor(version: string, { least, because }: ServerVersionNeed) {
    super(`the API server is Kubernetes ${version}, and ${least} or later is needed, because ${because}`);
    this.version = version;
    this.least = least;
  }
}

const retryBackoff = { initialMs: 800, maxMs: 10_000, resetAfterMs: 120_000 } as const;
const patienceMs = 120_000;

/**
 * Returns once the server has shown that it is new enough.
 *
 * @throws ServerVersionError where it is older; what the client throws where it refuses or stays away; the signal's
 * reason
 */
export async function requireServerVersion(
  client: Pick<KubeClient, "raw">,
  options: ServerVersionOptions,
): Promise<void> {
  const { least, logger } = options;
  const said = parseVersionPage(await readVersionPage(client, options));
  const leastNumbers = numbersOf(least);
  if (leastNumbers === undefined) throw new RangeError(`${least} is no major.minor`);
  if (said === undefined) {
    logger.warn("the API server does not say its version; assuming that it is new enough", { least });
    return;
  }
  const [major, minor] = said.numbers;
  const [leastMajor, leastMinor] = leastNumbers;
  const older = major < leastMajor || (major === leastMajor && minor < leastMinor);
  if (older) throw new ServerVersionError(said.version, options);
  logger.debug("the API server's version", { version: said.version });
}

/** The page, or undefined where this user may not read it. */
async function readVersionPage(
  client: Pick<KubeClient, "raw">,
  { clock, random, logger, signal }: ServerVersionOptions,
): Promise<string | undefined> {
  const backoff = new Backoff(retryBackoff, clock, random);
  const untilMs = clock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await client.raw("/version", { signal });
    } catch (error) {
      if (isForbidden(error)) return undefined;
      if (!isRetryable(error) || clock.monotonic() >= untilMs) throw error;
      logger.warn("cannot ask the API server for its version; trying again", { error });
      await clock.sleep(backoff.nextMs(), signal);
    }
  }
}

interface SaidVersion {
  readonly version: string;
  readonly numbers: readonly [major: number, minor: number];
}

/**
 * `gitVersion` names the build (`v1.35.2-eks-abc`). Where a vendor puts its own number there, `major` and `minor` are
 * what conformance asks for; a `+` after the minor stands for patches of the vendor's.
 */
function parseVersionPage(page: string | undefined): SaidVersion | undefined {
  const { gitVersion = "", major = "", minor = "" } = fieldsOf(page);
  const numbers = numbersOf(`${major}.${minor}`) ?? numbersOf(gitVersion);
  // A build without stamps calls itself v0.0.0.
  if (numbers === undefined || numbers[0] === 0) return undefined;
  return { version: gitVersion === "" ? `${major}.${minor}` : gitVersion, numbers };
}

function fieldsOf(page: string | undefined): Partial<Record<"gitVersion" | "major" | "minor", string>> {
  if (page === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(page);
    if (typeof parsed !== "object" || parsed === null) return {};
    const text = (name: string): string => {
      const value: unknown = Reflect.get(parsed, name);
      return typeof value === "string" ? value : "";
    };
    return { gitVersion: text("gitVersion"), major: text("major"), minor: text("minor") };
  } catch {
    return {};
  }
}

function numbersOf(version: string): readonly [number, number] | undefined {
  const match = /^v?(\d+)\.(\d+)(?!\d)/.exec(version);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}
