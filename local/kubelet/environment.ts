// The environment and command line of a container, resolved as a kubelet does: literals, fields of the pod,
// keys of Secrets and ConfigMaps, and $(VAR) in what follows.
import type { Container, Pod } from "./pod.ts";

/** A container cannot be created as it is configured: `CreateContainerConfigError`, and the message beside it. */
class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

/** Reads the data of a Secret (decoded) or ConfigMap; undefined when it does not exist. */
export type ReadData = (
  kind: "Secret" | "ConfigMap",
  namespace: string,
  name: string,
) => Promise<Readonly<Record<string, string>> | undefined>;

type Variable = NonNullable<Container["env"]>[number];

/**
 * Resolves `envFrom` and then `env`, in order; later values may use earlier ones.
 * @throws ContainerConfigError where a Secret, ConfigMap or key is missing and not optional
 */
export async function resolveEnvironment(
  container: Container,
  pod: Pod,
  node: { readonly address: string | undefined },
  read: ReadData,
): Promise<Readonly<Record<string, string>>> {
  const env: Record<string, string> = {};
  const namespace = pod.metadata.namespace ?? "default";
  for (const { prefix = "", secretRef, configMapRef } of container.envFrom ?? []) {
    const kind = secretRef === undefined ? "ConfigMap" : "Secret";
    const reference = secretRef ?? configMapRef;
    if (reference?.name === undefined) continue;
    const data = await read(kind, namespace, reference.name);
    if (data === undefined && reference.optional !== true) throw missing(kind, reference.name);
    for (const [key, value] of Object.entries(data ?? {})) env[`${prefix}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = await resolveVariable(variable, env, container, pod, node, read);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

async function resolveVariable(
  { value, valueFrom }: Variable,
  env: Readonly<Record<string, string>>,
  container: Container,
  pod: Pod,
  node: { readonly address: string | undefined },
  read: ReadData,
): Promise<string | undefined> {
  if (valueFrom === undefined) return expandVariables(value ?? "", env);
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef !== undefined) return podField(fieldRef.fieldPath, pod, node);
  if (resourceFieldRef !== undefined) {
    const [, list, name = ""] = /^(limits|requests)\.(.*)$/.exec(resourceFieldRef.resource) ?? [];
    const quantities = list === "limits" ? container.resources?.limits : container.resources?.requests;
    return String(quantities?.[name] ?? 0);
  }
  const kind = secretKeyRef === undefined ? "ConfigMap" : "Secret";
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference?.name === undefined) return undefined;
  const namespace = pod.metadata.namespace ?? "default";
  const data = await read(kind, namespace, reference.name);
  const found = data?.[reference.key];
  if (found !== undefined || reference.optional === true) return found;
  if (data === undefined) throw missing(kind, reference.name);
  throw new ContainerConfigError(
    `couldn't find key ${reference.key} in ${kind} ${namespace}/${reference.name}`,
  );
}

function missing(kind: "Secret" | "ConfigMap", name: string): ContainerConfigError {
  return new ContainerConfigError(`${kind.toLowerCase()} "${name}" not found`);
}

/** A field of the pod as `fieldRef` names it; empty where the pod has none. */
export function podField(path: string, pod: Pod, node: { readonly address: string | undefined }): string {
  const { metadata, spec, status } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null)
    return metadata[keyed[1] === "labels" ? "labels" : "annotations"]?.[keyed[2] ?? ""] ?? "";
  const fields: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
    "metadata.uid": metadata.uid,
    "spec.nodeName": spec?.nodeName,
    "spec.serviceAccountName": spec?.serviceAccountName,
    "status.podIP": status?.podIP,
    "status.podIPs": status?.podIP,
    "status.hostIP": status?.hostIP ?? node.address,
    "status.hostIPs": status?.hostIP ?? node.address,
  };
  return fields[path] ?? "";
}

/**
 * `$(NAME)` becomes the variable's value; one that is not defined stays as it stands, and `$$` is a plain `$`.
 * Source: third_party/forked/golang/expansion in kubernetes/kubernetes.
 */
export function expandVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\(([^()]*)\))/g, (whole: string, name: string | undefined) =>
    name === undefined ? "$" : (env[name] ?? whole),
  );
}

/** What a container runs: `vllm serve` with its words, or something that the simulation only keeps running. */
export type ContainerProgram =
  | { readonly kind: "vllm"; readonly argv: readonly string[] }
  | { readonly kind: "other" };

/** The entrypoint of vllm/vllm-openai is `vllm serve`; shells are not looked into, save `exec vllm serve …`. */
export function programOf(container: Container, env: Readonly<Record<string, string>>): ContainerProgram {
  const expand = (words: readonly string[] | undefined): readonly string[] =>
    (words ?? []).map((word) => expandVariables(word, env));
  const command = expand(container.command);
  const words = [...command, ...expand(container.args)];
  const [program = "", subcommand = ""] = words;
  if (command.length === 0) {
    const isVllm = /(?:^|\/)vllm-openai(?:[-\w]*)(?::|@|$)/.test(container.image ?? "");
    return isVllm ? { kind: "vllm", argv: words } : { kind: "other" };
  }
  if (/(?:^|\/)vllm$/.test(program) && subcommand === "serve") return { kind: "vllm", argv: words.slice(2) };
  if (/(?:^|\/)(?:ba)?sh$/.test(program)) {
    const script = words[words.findIndex((word) => /^-\w*c$/.test(word)) + 1] ?? "";
    const [, line] = /^\s*(?:exec\s+)?vllm\s+serve\s+([^;&|<>`]*?)\s*$/.exec(script) ?? [];
    if (line !== undefined) return { kind: "vllm", argv: shellWords(line, env) };
  }
  return { kind: "other" };
}

/** Splits a simple command line: quotes and $VAR, nothing else of a shell. */
function shellWords(line: string, env: Readonly<Record<string, string>>): readonly string[] {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"|\$\{?(\w+)\}?/g,
      (_, single?: string, double?: string, name?: string) =>
        single ??
        (double ?? `$${name ?? ""}`).replaceAll(/\$\{?(\w+)\}?/g, (__, key: string) => env[key] ?? ""),
    ),
  );
}
