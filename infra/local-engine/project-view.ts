// A project as a test or a first preview runs it: its own Pulumi.yaml and stack files in a folder of the caller, and the
// program itself where it lies. So a run leaves nothing in the project's folder, not even the salt of a stack's secrets.

import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { parse, stringify } from "yaml";

interface ProjectFile {
  readonly name: string;
  readonly main?: string;
}

interface StackFile {
  config?: Record<string, unknown>;
}

/** Makes the view if it is not there yet. Returns its folder. */
export async function viewProject(projectDir: string, viewsDir: string): Promise<string> {
  const project = parse(await readFile(join(projectDir, "Pulumi.yaml"), "utf8")) as ProjectFile;
  const view = join(viewsDir, project.name);
  await mkdir(view, { recursive: true });
  const main = resolve(projectDir, project.main ?? "index.ts");
  await writeFile(join(view, "Pulumi.yaml"), stringify({ ...project, main }));
  const present = await readdir(view);
  for (const name of await readdir(projectDir)) {
    if (/^Pulumi\..+\.yaml$/.test(name) && !present.includes(name)) {
      await copyFile(join(projectDir, name), join(view, name));
    }
  }
  return view;
}

/** Sets values in the view's stack file, over those that the project brings; `undefined` removes one. */
export async function setStackConfig(
  view: string,
  stack: string,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const path = join(view, `Pulumi.${stack}.yaml`);
  const text = await readFile(path, "utf8").catch(() => "");
  const file = (parse(text) ?? {}) as StackFile;
  const merged = Object.entries({ ...file.config, ...values }).filter(([, value]) => value !== undefined);
  await writeFile(path, stringify({ ...file, config: Object.fromEntries(merged) }));
}
