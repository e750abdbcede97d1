// What was found about an account before its first resource. What will not work ends the run, and so does what is not
// there. What could not be read is only a warning: the right to create a resource does not imply the right to read
// quotas.
import { saysNotThere, wordsOf } from "./reading-failure.ts";

/** Lines for people: what will not work, and what could not be checked. */
export interface AccountCheck {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What is read of an account. */
export interface Subject {
  /** As the subject of a sentence: `the reservation r of p in z`. */
  readonly what: string;
  /**
   * Where the cloud knows no such thing: field and what to write, `pools[0].capacity.reservation: write …`. Where it is
   * absent, that is a warning too, as with a quota of a name that the cloud does not have.
   */
  readonly missing?: string;
}

export const nothingFound: AccountCheck = { problems: [], warnings: [] };

export function together(checks: readonly AccountCheck[]): AccountCheck {
  return {
    problems: checks.flatMap(({ problems }) => problems),
    warnings: checks.flatMap(({ warnings }) => warnings),
  };
}

/** What `judge` finds of a subject; where reading failed, a problem if it is not there, and a warning otherwise. */
export async function checked(
  { what, missing }: Subject,
  judge: () => Promise<AccountCheck>,
): Promise<AccountCheck> {
  try {
    return await judge();
  } catch (error) {
    const reason = wordsOf(error);
    return missing !== undefined && saysNotThere(reason)
      ? { problems: [`${missing} (${what} is not there: ${reason})`], warnings: [] }
      : { problems: [], warnings: [`${what} could not be read, and was not checked: ${reason}`] };
  }
}

/** As `checked`, where `judge` finds only problems. */
export async function problemsOf(
  subject: Subject,
  judge: () => Promise<readonly string[]>,
): Promise<AccountCheck> {
  return checked(subject, async () => ({ problems: await judge(), warnings: [] }));
}
