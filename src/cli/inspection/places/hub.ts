// Repositories on the Hugging Face hub, or on a mirror that speaks as it does.
// Sources: huggingface.co/docs/hub/api; huggingface_hub, src/huggingface_hub/utils/_http.py (X-Error-Code) and
// file_download.py (redirects: relative ones for renamed repositories, absolute ones to signed addresses elsewhere).
import { z } from "zod";
import { InspectionError, quoted } from "../errors.ts";
import { parseDocument } from "../json-document.ts";
import type { HttpClient, HttpRefusal, HttpTarget } from "../reading/http-client.ts";
import { openHttp } from "../reading/http-source.ts";
import { under } from "../reading/server-url.ts";
import type { CheckpointFolder } from "./checkpoint-folder.ts";

export const publicHub = "https://huggingface.co";

/** `owner/name`, as the hub allows. */
const repositoryPattern = /^[A-Za-z0-9][-\w.]{0,95}\/[A-Za-z0-9][-\w.]{0,95}$/;

export function isRepository(text: string): boolean {
  return repositoryPattern.test(text) && !text.includes("..");
}

/** A repository at one commit. */
export interface HubCheckpoint {
  readonly repository: string;
  /** Full hash: what a branch or tag meant when it was asked. */
  readonly commit: string;
  /** Needs a licence click and a token. */
  readonly gated: boolean;
  readonly folder: CheckpointFolder;
}

/** Repositories with very many files have answers of some megabytes. */
const maxAnswerBytes = 16 * 1_048_576;
/** One read has the whole header of most shards: that of 8B in one file has 34 kB. */
const headBytes = 65_536;

const answerSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/, "is not a full commit hash"),
  /** `false`, or who decides: `auto`, `manual`. */
  gated: z.union([z.boolean(), z.string()]).default(false),
  siblings: z.array(z.object({ rfilename: z.string().max(4096) })).max(100_000),
});

/**
 * Asks the hub which commit `revision` (a branch, a tag, a hash) is and which files it has.
 * @throws InspectionError
 */
export async function findOnHub(
  client: HttpClient,
  endpoint: URL,
  { repository, revision }: { readonly repository: string; readonly revision: string },
  signal: AbortSignal,
): Promise<HubCheckpoint> {
  const explain = explainer(client, endpoint, repository, revision);
  const url = under(endpoint, `/api/models/${repository}/revision/${encodeURIComponent(revision)}`);
  const name = `${repository} at ${revision}`;
  const answer = await client.document({ url, name, explain }, maxAnswerBytes, signal);
  const { sha, gated, siblings } = parseDocument(
    `the hub's answer for ${name}`,
    answer.toString("utf8"),
    answerSchema,
  );
  if (/^[0-9a-f]{40}$/.test(revision) && sha !== revision) {
    throw new InspectionError("unreachable", `${name}: the hub answers with another commit, ${sha}`);
  }
  const fileNames = new Set(siblings.map(({ rfilename }) => rfilename));
  const target = (fileName: string): HttpTarget => ({
    url: under(endpoint, `/${repository}/resolve/${sha}/${encodedPath(fileName)}`),
    name: `${repository}/${fileName}`,
    explain,
  });
  const folder: CheckpointFolder = {
    name: repository,
    fileNames,
    open: (fileName, signal) => openHttp(client, target(fileName), headBytes, signal),
    async readText(fileName, maxBytes, signal) {
      return (await client.document(target(fileName), maxBytes, signal)).toString("utf8");
    },
  };
  return { repository, commit: sha, gated: gated !== false, folder };
}

const encodedPath = (fileName: string) => fileName.split("/").map(encodeURIComponent).join("/");

function explainer(
  client: HttpClient,
  endpoint: URL,
  repository: string,
  revision: string,
): (refusal: HttpRefusal) => InspectionError | undefined {
  const page = under(endpoint, `/${repository}`).href;
  const hasToken = client.hasTokenFor(endpoint);
  const giveToken = "give a token in HF_TOKEN or with --token-file";
  return ({ name, status, header }) => {
    switch (header("x-error-code")) {
      case "GatedRepo":
        return new InspectionError(
          "denied",
          hasToken
            ? `${repository} is gated, and the token's account has no access: accept the licence at ${page} with that account (a fine-grained token also needs the right to read gated repositories)`
            : `${repository} is gated: accept its licence at ${page}, and ${giveToken}`,
        );
      case "RevisionNotFound":
        return new InspectionError("notFound", `${repository} has no revision ${quoted(revision)}`);
      case "EntryNotFound":
        return new InspectionError("notFound", `${name}: the repository has no such file at this revision`);
      case "RepoNotFound":
        return noRepository(status);
      case undefined:
      default:
        // A repository that is missing and one that is private look the same to a client that is not let in.
        return status === 401 || (status === 404 && !name.startsWith(`${repository}/`))
          ? noRepository(status)
          : undefined;
    }
  };

  function noRepository(status: number): InspectionError {
    if (status === 401 && hasToken) {
      return new InspectionError(
        "denied",
        `${repository}: the hub does not know this token, or there is no such repository`,
      );
    }
    return new InspectionError(
      status === 401 ? "denied" : "notFound",
      `${repository}: no such repository at ${endpoint.host}, or a private one${hasToken ? " that this token may not see" : `: ${giveToken}`}`,
    );
  }
}
