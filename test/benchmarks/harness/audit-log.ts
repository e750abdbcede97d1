// The API server's audit log as the judge of who did what and when: it sees every request of everybody, and the
// program that is measured has no part in it.
import { open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

export interface AuditEntry {
  readonly verb: string;
  /** `deployments.apps`; empty for paths that are no resource. */
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly userAgent: string;
  readonly code: number;
  /** Milliseconds since 1970. */
  readonly receivedAtMs: number;
  readonly completedAtMs: number;
  readonly uri: string;
}

/** A place in the log: what comes after it is what happened after it was taken. */
export type AuditMark = number;

interface RawEntry {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** The API server writes its log a moment after it has answered. */
const settleMs = 1000;

const leases = "leases.coordination.k8s.io";
const readVerbs: ReadonlySet<string> = new Set(["get", "list", "watch"]);

export class AuditLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Marks the present, once everything before it has been written. */
  async mark(): Promise<AuditMark> {
    await sleep(settleMs);
    return (await stat(this.#path)).size;
  }

  /**
   * Entries after a mark whose user agent contains `agent`, and where to read on. A watch is entered when it ends.
   * `settled` waits until what has been answered is in the log.
   */
  async read(
    from: AuditMark,
    agent: string,
    options: { readonly settled?: boolean } = {},
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly next: AuditMark }> {
    if (options.settled !== false) await sleep(settleMs);
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const end = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
      const entries = buffer
        .toString("utf8", 0, end)
        .split("\n")
        .filter((line) => line !== "" && line.includes(agent))
        .map((line) => decode(JSON.parse(line) as RawEntry))
        .filter(({ userAgent }) => userAgent.includes(agent));
      return { entries, next: from + end };
    } finally {
      await file.close();
    }
  }
}

function decode(raw: RawEntry): AuditEntry {
  const { resource = "", apiGroup = "", subresource, namespace, name } = raw.objectRef ?? {};
  return {
    verb: raw.verb,
    resource: apiGroup === "" ? resource : `${resource}.${apiGroup}`,
    subresource,
    namespace,
    name,
    userAgent: raw.userAgent ?? "",
    code: raw.responseStatus?.code ?? 0,
    receivedAtMs: Date.parse(raw.requestReceivedTimestamp),
    completedAtMs: Date.parse(raw.stageTimestamp),
    uri: raw.requestURI,
  };
}

/** Changes of anything but a Lease. */
export function isWrite({ verb, resource }: AuditEntry): boolean {
  return !readVerbs.has(verb) && resource !== leases;
}

export function isLease({ resource }: AuditEntry): boolean {
  return resource === leases;
}

/** How often each kind of request was made, for a message: `3 patch services, 1 get nodes`. */
export function tally(entries: readonly AuditEntry[]): string {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource } of entries) {
    const what = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).join(", ") || "none";
}
