// What a program in a pod sees of this machine, as pure rules: which file a path means, and where it listens. Said by
// the kubelet in one environment variable, read by namespaces.ts inside the program.

export interface Namespaces {
  /** The pod's. */
  readonly address: string;
  /** From the path in the container to the folder here. */
  readonly mounts: Readonly<Record<string, string>>;
  /** A file descriptor that closes when the kubelet ends. */
  readonly lifeline?: number;
}

const podVariable = "SIMULATED_POD";

/** What the environment of a program says, for {@link readNamespaces}. */
export function namespacesVariable(namespaces: Namespaces): Readonly<Record<string, string>> {
  return { [podVariable]: JSON.stringify(namespaces) };
}

/** @throws SyntaxError where the variable is missing: namespaces.ts is of no use without it */
export function readNamespaces(env: Readonly<Record<string, string | undefined>>): Namespaces {
  return JSON.parse(env[podVariable] ?? "") as Namespaces;
}

/** The path on this machine; of several mounts the innermost has it. What is no path stays as it is. */
export function mountedPath(path: unknown, mounts: Readonly<Record<string, string>>): unknown {
  if (typeof path !== "string") return path;
  const [innermost] = Object.keys(mounts)
    .filter((mount) => path === mount || path.startsWith(`${mount}/`))
    .sort((a, b) => b.length - a.length);
  return innermost === undefined ? path : `${mounts[innermost]}${path.slice(innermost.length)}`;
}

const unspecified = new Set<unknown>([undefined, null, "", "0.0.0.0", "::"]);

/** The arguments of net.Server's listen, with the pod's address where they leave the address open. */
export function listenArguments(args: readonly unknown[], address: string): readonly unknown[] {
  const [first, second, ...rest] = args;
  if (typeof first === "object" && first !== null) {
    const options = first as { readonly port?: unknown; readonly host?: unknown };
    if (options.port === undefined || !unspecified.has(options.host)) return args;
    return [{ ...options, host: address }, ...args.slice(1)];
  }
  if (typeof first !== "number") return args;
  if (typeof second === "string" && !unspecified.has(second)) return args;
  // The address may be left out altogether: a backlog or a callback is then in its place.
  return unspecified.has(second) ? [first, address, ...rest] : [first, address, ...args.slice(1)];
}
