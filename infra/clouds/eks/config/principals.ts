// Who is meant by an ARN. The same role is written in several ways: with its path, without, and as the session in which
// somebody has taken it; EKS knows one entry for all of them.

interface Principal {
  readonly account: string;
  readonly kind: "role" | "user";
  readonly name: string;
}

/** The role or user of an ARN, of IAM or of a session of STS; undefined where it is neither. */
export function principalOf(arn: string): Principal | undefined {
  const [, account, kind, path] =
    /^arn:[^:]+:(?:iam|sts)::(\d{12}):(role|user|assumed-role)\/(.+)$/.exec(arn) ?? [];
  if (account === undefined || path === undefined) return undefined;
  const parts = path.split("/");
  if (kind === "user") return { account, kind, name: parts.at(-1) ?? "" };
  // A session has its own name after that of the role; a role may have a path before its name.
  return { account, kind: "role", name: (kind === "role" ? parts.at(-1) : parts[0]) ?? "" };
}

/**
 * Whether two ARNs are of one principal. Names of roles, and of users, are unique in an account whatever their path is.
 * Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, names.
 */
export function isSamePrincipal(one: string, other: string): boolean {
  const [first, second] = [principalOf(one), principalOf(other)];
  if (first === undefined || second === undefined) return one === other;
  return first.account === second.account && first.kind === second.kind && first.name === second.name;
}

/** The role of a session, whose own name may hold what no tag may; every other ARN as it is. */
export const withoutSession = (arn: string): string =>
  arn.replace(/^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");

/**
 * A name for each ARN that none of the others has: the last part, and where one before has that, account and kind too.
 * So that names which are there stay what they are.
 */
export function principalNames(arns: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const arn of arns) {
    const last = arn.slice(arn.lastIndexOf("/") + 1);
    const principal = principalOf(arn);
    const taken = [...names.values()].includes(last);
    names.set(
      arn,
      taken && principal !== undefined ? `${last}-${principal.account}-${principal.kind}` : last,
    );
  }
  return names;
}
