// What a failed reading of an account means. Pulumi hands on the cloud's words alone, so that they have to be read: that
// a thing is not there ends the run, that somebody may not look, or that nobody answered, does not.

/** Who may build need not be one who may look; and a login that has run out says nothing about the account. */
const refused = [
  /\b40[13]\b/,
  /forbidden|access ?denied|permission|not authori[sz]ed|unauthori[sz]ed|authorization ?failed/i,
  /auth ?failure|credential|invalid_grant|expired ?token|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient/i,
  /SignatureDoesNotMatch|OptInRequired|executable file not found/i,
] as const;

/** Nobody answered, or not now. */
const unanswered = [
  /\b(?:ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|ETIMEDOUT)\b/,
  /no such host|host not found|connection (?:refused|reset|closed)|network is unreachable/i,
  /time[- ]?out|timed out|deadline exceeded|\bEOF\b|\bTLS\b|x509/i,
  /(?:error|status ?code|status|response)[:= ]+(?:429|5\d\d)\b/i,
  /throttl|rate ?exceeded|rate ?limit|too ?many ?requests|service ?unavailable|internal ?(?:server ?)?error/i,
] as const;

/**
 * Google's `Error 404 … notFound` and `Error 400`; AWS' `….NotFound`, `ResourceNotFoundException`, and how its provider
 * says that a list is empty; Azure's `ResourceNotFound`, `Status=404`.
 * Sources: docs.cloud.google.com/apis/design/errors; docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html;
 * hashicorp/terraform-provider-aws, internal/retry (not-found errors); learn.microsoft.com/azure/azure-resource-manager/
 * troubleshooting/error-not-found.
 */
const notThere = [
  /\b40[04]\b/,
  /not ?found|does not exist|do not exist|doesn't exist|couldn't find|could not find|no matching|no results/i,
  /empty result|malformed|invalid|unknown (?:zone|region|location)|unsupported|not (?:available|supported) in/i,
] as const;

const says = (message: string, patterns: readonly RegExp[]): boolean =>
  patterns.some((pattern) => pattern.test(message));

/** Whether the cloud knows no such thing as it was asked for; false where it was not told, or is not sure. */
export function saysNotThere(message: string): boolean {
  return !says(message, refused) && !says(message, unanswered) && says(message, notThere);
}

/** The words of whatever was thrown. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What `read` says; undefined where the cloud has no such thing. @throws what else went wrong */
export async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (saysNotThere(wordsOf(error))) return undefined;
    throw error;
  }
}
