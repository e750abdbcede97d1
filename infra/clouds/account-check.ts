// What was found out of an account before its first resource: what will not work ends the run, and what could not be read
// is a warning, because who may build need not be who may look. Pure.

/** Lines for people: what will not work, and what could not be found out. */
export interface Findings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export const nothingFound: Findings = { problems: [], warnings: [] };

export function together(findings: readonly Findings[]): Findings {
  return {
    problems: findings.flatMap(({ problems }) => problems),
    warnings: findings.flatMap(({ warnings }) => warnings),
  };
}

/** What `judge` finds, or a warning that begins with `unread` where it could not read what it judges. */
export async function unlessUnreadable(unread: string, judge: () => Promise<Findings>): Promise<Findings> {
  try {
    return await judge();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [], warnings: [`${unread}: ${reason}`] };
  }
}

/** As unlessUnreadable, of a judge who knows problems alone. */
export async function problemsOf(what: string, judge: () => Promise<readonly string[]>): Promise<Findings> {
  return unlessUnreadable(`${what} could not be read`, async () => ({
    problems: await judge(),
    warnings: [],
  }));
}
