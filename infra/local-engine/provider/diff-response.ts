// What a provider tells the engine of the differences that it has found.

import provider from "@pulumi/pulumi/proto/provider_pb.js";
import type { DiffResponse } from "@pulumi/pulumi/proto/provider_pb.js";

import { propertyPath } from "./differences.ts";
import type { Diff } from "./handler.ts";

/** The engine leaves ignored changes to the provider where it gets a detailed diff. */
export function diffResponse(diff: Diff, ignored: readonly string[]): DiffResponse {
  const response = new provider.DiffResponse();
  const { Kind } = provider.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const isIgnored = (path: string) =>
    ignored.some(
      (prefix) => path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`),
    );
  const found = diff.differences
    .map((difference) => ({ difference, path: propertyPath(difference.path) }))
    .filter(({ path }) => !isIgnored(path));
  const replaces: string[] = [];
  for (const { difference, path } of found) {
    const replacing = diff.replacing.includes(difference);
    if (replacing) replaces.push(path);
    const detail = new provider.PropertyDiff();
    detail.setKind(kinds[difference.kind][replacing ? 1 : 0]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setChanges(changesOf(found.length));
  response.setDiffsList(found.map(({ difference }) => String(difference.path[0])));
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(replaces.length > 0 && diff.deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  return response;
}

/** Of a provider's own configuration: changed arguments, and those of them that need everything anew. */
export function configurationDiffResponse(
  changed: readonly string[],
  replacing: readonly string[],
): DiffResponse {
  const response = new provider.DiffResponse();
  response.setChanges(changesOf(changed.length));
  response.setDiffsList([...changed]);
  response.setReplacesList(replacing.filter((name) => changed.includes(name)));
  return response;
}

function changesOf(count: number): DiffResponse.DiffChanges {
  const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
  return count === 0 ? DIFF_NONE : DIFF_SOME;
}
