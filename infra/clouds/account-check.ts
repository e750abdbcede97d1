// What was found about an account before its first resource. What will not work ends the run. What could not be read is
// only a warning: the right to create a resource does not imply the right to read quotas. Pure.

/** Lines for people: what will not work, and what could not be checked. */
export interface AccountCheck {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export const nothingFound: AccountCheck = { problems: [], warnings: [] };

export function together(checks: readonly AccountCheck[]): AccountCheck {
  return {
    problems: checks.flatMap(({ problems }) => problems),
    warnings: checks.flatMap(({ warnings }) => warnings),
  };
}

/** What `judge` finds, or a warning that begins with `unread` where reading failed. */
export async function unlessUnreadable(
  unread: string,
  judge: () => Promise<AccountCheck>,
): Promise<AccountCheck> {
  try {
    return await judge();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [], warnings: [`${unread}: ${reason}`] };
  }
}

/** As unlessUnreadable, where `judge` finds only problems. */
export async function problemsOf(
  what: string,
  judge: () => Promise<readonly string[]>,
): Promise<AccountCheck> {
  return unlessUnreadable(`${what} could not be read`, async () => ({
    problems: await judge(),
    warnings: [],
  }));
}
