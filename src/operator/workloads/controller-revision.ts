// Where revisions are kept: immutable ControllerRevisions. Read back tolerantly, as an older or a newer operator may
// have written them, but never half: what the workloads are built from must be there.
import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import { z } from "zod";
import { revisionLabel } from "./labels.ts";
import { ownedMetadata } from "./metadata.ts";
import { controllerRevisionName, type Owner } from "./names.ts";
import type { RevisionData } from "./revision.ts";

/** The ControllerRevision of `data`; `revision` counts up with each new one of the owner. */
export function controllerRevision(
  owner: Owner,
  data: RevisionData,
  revision: number,
  annotations?: Readonly<Record<string, string>>,
): IControllerRevision {
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      ...ownedMetadata(owner, controllerRevisionName(owner, data.hash), { [revisionLabel]: data.hash }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    },
    revision,
    data: { ...data },
  };
}

/** A stored revision that cannot be used; its workloads are left as they are. */
export class RevisionUnreadable extends Error {
  readonly code = "RevisionUnreadable";

  constructor(name: string, cause: z.ZodError) {
    super(`ControllerRevision ${name} was not written by an operator that this one understands`, { cause });
    this.name = "RevisionUnreadable";
  }
}

const template = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string() })).min(1) }),
});

const positive = z.int().min(1);

/** What workloads, placement and status rest on; everything else is kept as it was found. */
const stored = z.looseObject({
  hash: z.string().regex(/^[0-9a-f]{1,63}$/),
  intent: z.looseObject({ layout: z.looseObject({}) }),
  plan: z.looseObject({
    kind: z.literal("plan"),
    pool: z.string(),
    tensor: positive,
    pipeline: positive,
    nodesPerReplica: positive,
    gpusPerReplica: positive,
    pod: z.looseObject({ gpus: positive, gpuResourceName: z.string() }),
  }),
  startupBudgetSeconds: positive,
  templates: z.looseObject({ serving: template, worker: template.optional() }),
});

/**
 * The revision in a ControllerRevision, as it was stored.
 * @throws RevisionUnreadable where what the workloads are built from is missing.
 */
export function readRevision(object: {
  readonly metadata?: { readonly name?: string };
  readonly data?: unknown;
}): RevisionData {
  const result = stored.safeParse(object.data);
  if (!result.success) throw new RevisionUnreadable(object.metadata?.name ?? "", result.error);
  // Everything checked above is there; the rest has the shape that renderRevision gave it. Not the checked copy: the
  // cache keeps the original anyway.
  return object.data as RevisionData;
}
