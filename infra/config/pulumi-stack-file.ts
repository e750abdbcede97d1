// A stack's own file of Pulumi, `Pulumi.<stack>.yaml`, as far as it is read without Pulumi: before a stack is there, and
// where nothing is to be asked of a backend.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { configurationNamespace, overlayOf } from "./overlay.ts";
import type { Overlay } from "./overlay.ts";

/** What Pulumi keeps in it. Source: pulumi/pulumi, sdk/go/common/workspace/project.go, ProjectStack. */
export interface PulumiStackFile {
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly encryptionsalt?: string;
  /** ESC environments, which only Pulumi Cloud resolves. */
  readonly environment?: unknown;
  /** By `namespace:key`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The file of a stack in a project's folder; empty where there is none. */
export async function readPulumiStackFile(projectFolder: string, stack: string): Promise<PulumiStackFile> {
  const text = await readFile(join(projectFolder, `Pulumi.${stack}.yaml`), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
  return (parse(text) ?? {}) as PulumiStackFile;
}

export async function writePulumiStackFile(
  projectFolder: string,
  stack: string,
  file: PulumiStackFile,
): Promise<void> {
  await writeFile(join(projectFolder, `Pulumi.${stack}.yaml`), stringify(file));
}

/** Whether a value, or something in it, was encrypted by `pulumi config set --secret`. */
export function isSecure(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!Array.isArray(value) && typeof (value as { secure?: unknown }).secure === "string") return true;
  return Object.values(value).some(isSecure);
}

/** What the file lays over the stack's configuration, secrets left out: for a plan before Pulumi is asked. */
export function overlayOfStackFile({ config = {} }: PulumiStackFile): Overlay {
  const prefix = `${configurationNamespace}:`;
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return overlayOf(
    Object.fromEntries(
      own.map(([key, value]) => [
        key.slice(prefix.length),
        { value: withoutSecrets(value), secret: isSecure(value) },
      ]),
    ),
  );
}

/** Stands for what only Pulumi can decrypt. */
const hidden = "[secret]";

function withoutSecrets(value: unknown): unknown {
  if (!isSecure(value)) return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof (value as { readonly secure?: unknown }).secure === "string") return hidden;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, member]) => [key, withoutSecrets(member)]),
  );
}
