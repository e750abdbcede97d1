// The one configuration of a stack, which both projects and the command line read: every mistake at once, with its
// path, before anything is asked of a cluster or registered with Pulumi.
import { z } from "zod";
import { objectName } from "@llama-operator/llama/api";
import { crossProblems } from "./checks.ts";
import { model, namespace } from "./model.ts";
import { leaderWorkerSet, operator } from "./operator.ts";
import { readPlatform } from "./platform.ts";
import type { Written } from "./pool.ts";
import type { ConfigurationProblem } from "./problem.ts";
import { SectionReader } from "./section-reader.ts";
import { sections } from "./sections.ts";
import type { StackConfiguration } from "./stack-configuration.ts";
import { volume } from "./volume.ts";

export type ParsedConfiguration =
  | { readonly ok: true; readonly configuration: StackConfiguration }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };

/** Reads a configuration as YAML gave it. */
export function parseConfiguration(value: unknown): ParsedConfiguration {
  const reader = new SectionReader();
  const raw = reader.read(z.record(z.string(), z.unknown()), value, []) ?? {};
  for (const key of Object.keys(raw).filter((each) => !sections.some((section) => section === each))) {
    reader.complain(key, `unknown section; there are ${sections.join(", ")}`);
  }
  const { problems: ofCloud, ...platform } = readPlatform(reader, raw);
  const readable = {
    ...platform,
    allowReplace: reader.list(raw["allowReplace"] ?? [], "allowReplace", (item, path) =>
      reader.read(objectName, item, path),
    ),
    namespaces: reader.list(raw["namespaces"] ?? [], "namespaces", (item, path) =>
      reader.read(namespace, item, path),
    ),
    volumes: reader.list(raw["volumes"] ?? [], "volumes", (item, path) => reader.read(volume, item, path)),
    leaderWorkerSet: reader.read(leaderWorkerSet, raw["leaderWorkerSet"] ?? { install: true }, [
      "leaderWorkerSet",
    ]),
    operator: reader.read(operator, raw["operator"] ?? {}, ["operator"]),
    models: reader.list(raw["models"] ?? [], "models", (item, path) => {
      const read = reader.read(model, item, path);
      return read === undefined ? undefined : { ...read, writtenSpec: (item as { spec: Written }).spec };
    }),
  };
  const across = [...ofCloud, ...crossProblems(readable, raw)];
  const problems = [...reader.problems, ...across.filter(({ path }) => !reader.hasAt(path))];
  const { platform: onto, leaderWorkerSet: lws, operator: by } = readable;
  if (problems.length > 0 || onto === undefined || lws === undefined || by === undefined) {
    return { ok: false, problems };
  }
  return {
    ok: true,
    configuration: {
      platform: onto,
      leaderWorkerSet: lws,
      operator: by,
      pools: readable.pools.filter((each) => each !== undefined),
      allowReplace: readable.allowReplace.filter((each) => each !== undefined),
      namespaces: readable.namespaces.filter((each) => each !== undefined),
      volumes: readable.volumes.filter((each) => each !== undefined),
      models: readable.models.filter((each) => each !== undefined),
    },
  };
}
