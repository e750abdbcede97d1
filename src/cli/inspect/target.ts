// What the argument of `inspect` names, and how it is reached: paths before repositories, a token for one origin alone.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { InspectionError } from "../inspection/errors.ts";
import { kindOfPath } from "../inspection/places/checkpoint-folder.ts";
import { isRepository, publicHub } from "../inspection/places/hub.ts";
import { parseOllamaName, publicRegistry } from "../inspection/places/ollama.ts";
import { proxiedDispatcher } from "../inspection/reading/dispatcher.ts";
import { HttpClient } from "../inspection/reading/http-client.ts";
import type { ReadBudget } from "../inspection/reading/read-budget.ts";
import { isExposed, parseServerUrl } from "../inspection/reading/server-url.ts";
import type { Target } from "../inspection/target.ts";
import type { Terminal } from "../terminal.ts";
import { version } from "../version.ts";

export interface TargetOptions {
  readonly revision?: string;
  readonly endpoint?: string;
  readonly tokenFile?: string;
}

const ollamaPrefix = "ollama:";
/** `owner/name/path/file.gguf`: one file of a repository. */
const fileInRepository = /^([^/]+\/[^/]+)\/(.+\.(?:gguf|safetensors))$/;

/** Finds out what `text` names. @throws InspectionError for what it cannot be. */
export async function targetOf(text: string, options: TargetOptions, env: Terminal["env"]): Promise<Target> {
  if (text.startsWith(ollamaPrefix)) {
    if (options.revision !== undefined)
      throw wrongUse(
        "--revision is for repositories on the hub; a tag follows the name: ollama:llama3.1:70b",
      );
    const name = parseOllamaName(text.slice(ollamaPrefix.length));
    return { kind: "ollama", name, registry: parseServerUrl(options.endpoint ?? publicRegistry) };
  }
  // A revision means the hub; a path that is there is what any program would take it for.
  if (options.revision === undefined && (await kindOfPath(text)) !== undefined)
    return { kind: "local", path: text };
  const endpoint = parseServerUrl(options.endpoint ?? nonEmpty(env["HF_ENDPOINT"]) ?? publicHub);
  const revision = options.revision ?? "main";
  if (isRepository(text)) return { kind: "hub", endpoint, repository: text, revision };
  const [, repository, file] = fileInRepository.exec(text) ?? [];
  if (repository !== undefined && file !== undefined && isRepository(repository)) {
    return { kind: "hub", endpoint, repository, revision, file };
  }
  throw wrongUse(
    `${text}: no such file or folder, and no repository such as meta-llama/Llama-3.1-8B-Instruct`,
  );
}

/** A client for `target` and what closes its connections. */
export async function connect(
  target: Target,
  options: TargetOptions,
  budget: ReadBudget,
  terminal: Terminal,
): Promise<{ readonly client: HttpClient; readonly close: () => Promise<void> }> {
  const { env } = terminal;
  const dispatcher = proxiedDispatcher(env);
  const token = target.kind === "hub" ? await tokenFor(target.endpoint, options, env) : undefined;
  const client = new HttpClient({
    dispatcher,
    budget,
    userAgent: `llama-operator-cli/${version}`,
    wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
    token,
  });
  return { client, close: () => dispatcher.destroy() };
}

async function tokenFor(
  endpoint: URL,
  { tokenFile }: TargetOptions,
  env: Terminal["env"],
): Promise<{ readonly origin: string; readonly token: string } | undefined> {
  const text = tokenFile === undefined ? nonEmpty(env["HF_TOKEN"]) : await readToken(tokenFile);
  if (text === undefined) return undefined;
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw wrongUse(`${tokenFile ?? "HF_TOKEN"}: holds no token (one line of printable characters)`);
  }
  if (isExposed(endpoint)) {
    throw wrongUse(`${endpoint.host}: a token would travel readably over http; use https, or unset HF_TOKEN`);
  }
  return { origin: endpoint.origin, token };
}

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new InspectionError("target", `--token-file ${path}: cannot be read (${code})`, { cause: error });
  }
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

function wrongUse(message: string): InspectionError {
  return new InspectionError("target", message);
}
