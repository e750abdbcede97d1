// The volumes that a container mounts, as folders of this machine: ConfigMaps, Secrets, fields of the pod, the token of
// its ServiceAccount. Written at each start of the container and gone after it; of what changes in between, only
// tokens are kept up to date.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { podField, type ReadData } from "../environment.ts";
import type { Container, Pod, PodSpec } from "../pod.ts";
import { type RequestToken, type TokenFile, type TokenSpec, writeToken } from "./account-token.ts";

export interface Volumes {
  /** From the path in the container to the folder here. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly tokens: readonly TokenFile[];
}

export interface VolumeSources {
  readonly pod: Pod;
  readonly nodeAddress: string | undefined;
  readonly readData: ReadData;
  readonly requestToken: RequestToken;
}

type Volume = NonNullable<PodSpec["volumes"]>[number];
type Projection = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];
type Items = readonly { readonly key: string; readonly path: string }[];
interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
  readonly items?: Items;
}

/** The default of the API for a projected token. */
const defaultTokenSeconds = 3600;

/**
 * Writes what the container mounts below a folder that exists and is private.
 * @throws Error in a kubelet's words where something is missing, or is of a kind that has no stand-in here
 */
export async function writeVolumes(
  container: Container,
  directory: string,
  sources: VolumeSources,
): Promise<Volumes> {
  const mounts: Record<string, string> = {};
  const tokens: TokenFile[] = [];
  const written = new Set<string>();
  for (const { name, mountPath, subPath = "" } of container.volumeMounts ?? []) {
    const folder = join(directory, name);
    mounts[mountPath] = join(folder, subPath);
    if (written.has(name)) continue;
    written.add(name);
    const volume = sources.pod.spec?.volumes?.find((candidate) => candidate.name === name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      for (const part of partsOf(volume)) tokens.push(...(await writePart(part, folder, sources)));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`MountVolume.SetUp failed for volume "${name}": ${reason}`, { cause });
    }
  }
  return { mounts, tokens };
}

/** A volume as the parts that a projected one has. */
function partsOf(volume: Volume | undefined): readonly Projection[] {
  if (volume?.emptyDir !== undefined) return [];
  if (volume?.projected !== undefined) return volume.projected.sources ?? [];
  if (volume?.configMap !== undefined) return [{ configMap: volume.configMap }];
  if (volume?.downwardAPI !== undefined) return [{ downwardAPI: volume.downwardAPI }];
  if (volume?.secret !== undefined) {
    const { secretName, ...secret } = volume.secret;
    return [{ secret: { ...secret, ...(secretName === undefined ? {} : { name: secretName }) } }];
  }
  throw new Error("only configMap, secret, downwardAPI, projected and emptyDir have a stand-in here");
}

async function writePart(
  { configMap, secret, downwardAPI, serviceAccountToken }: Projection,
  folder: string,
  { pod, nodeAddress, readData, requestToken }: VolumeSources,
): Promise<readonly TokenFile[]> {
  const namespace = pod.metadata.namespace ?? "default";
  if (configMap !== undefined) {
    await writeFiles(folder, await filesOf("ConfigMap", configMap, namespace, readData));
  }
  if (secret !== undefined) await writeFiles(folder, await filesOf("Secret", secret, namespace, readData));
  for (const { path, fieldRef } of downwardAPI?.items ?? []) {
    const value = podField(fieldRef?.fieldPath ?? "", pod, { address: nodeAddress });
    await writeFiles(folder, { [path]: value });
  }
  if (serviceAccountToken === undefined) return [];
  const { audience, expirationSeconds = defaultTokenSeconds, path } = serviceAccountToken;
  const spec: TokenSpec = { expirationSeconds, ...(audience === undefined ? {} : { audience }) };
  const token = await requestToken(pod, spec);
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeToken(file, token);
  return [{ path: file, spec, lifeSeconds: token.lifeSeconds }];
}

async function filesOf(
  kind: "ConfigMap" | "Secret",
  { name = "", optional, items }: Reference,
  namespace: string,
  readData: ReadData,
): Promise<Readonly<Record<string, string>>> {
  const data = await readData(kind, namespace, name);
  if (data === undefined) {
    if (optional === true) return {};
    throw new Error(`${kind.toLowerCase()} "${name}" not found`);
  }
  if (items === undefined) return data;
  return Object.fromEntries(
    items.flatMap(({ key, path }) => {
      const value = data[key];
      if (value !== undefined) return [[path, value]];
      if (optional === true) return [];
      throw new Error(`references non-existent key: ${key} in ${kind} ${namespace}/${name}`);
    }),
  );
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600 });
  }
}
