// The cluster of a stack with its pools: one that is there, or one that a cloud makes. The kind of the cluster decides
// how both are read; for planning and serving the pools look alike afterwards.
import type { CloudPool, CloudRules } from "../clouds/cloud-rules.ts";
import { clouds, isCloud } from "../clouds/clouds.ts";
import type { CloudPlatform } from "../clouds/clouds.ts";
import { cluster } from "./cluster.ts";
import type { ClusterConfiguration } from "./cluster.ts";
import { gpuPoolFacts, pool } from "./pool.ts";
import type { PoolConfiguration, Written } from "./pool.ts";
import type { ConfigurationProblem } from "./problem.ts";
import type { SectionReader } from "./section-reader.ts";

/** The cluster that is there, or what a cloud is to make. */
export type PlatformConfiguration = ClusterConfiguration | CloudPlatform;

/** What could be read of a platform: pools that could not are undefined, the others keep their index. */
export interface ReadPlatform {
  readonly platform: PlatformConfiguration | undefined;
  readonly pools: readonly (PoolConfiguration | undefined)[];
  /** What a cloud has against it. */
  readonly problems: readonly ConfigurationProblem[];
}

/** Reads the sections `cluster` and `pools`. */
export function readPlatform(reader: SectionReader, written: Written): ReadPlatform {
  const kind = (written["cluster"] as { readonly kind?: unknown } | null | undefined)?.kind;
  if (isCloud(kind)) return readCloud(reader, kind, clouds[kind], written);
  return {
    platform: reader.read(cluster, written["cluster"], ["cluster"]),
    pools: reader.list(written["pools"], "pools", (item, path) => {
      const read = reader.read(pool, item, path);
      if (read === undefined) return undefined;
      const facts = Object.entries(item as Written).filter(([key]) => gpuPoolFacts.includes(key));
      const { capacity } = item as { readonly capacity?: unknown };
      return {
        ...read,
        written: gpuPoolSpecOf(Object.fromEntries(facts), read, capacity !== undefined),
      };
    }),
    problems: [],
  };
}

function readCloud(
  reader: SectionReader,
  kind: CloudPlatform["kind"],
  rules: CloudRules,
  written: Written,
): ReadPlatform {
  const onto = reader.read(rules.cluster, written["cluster"], ["cluster"]);
  const pools = reader.list(written["pools"], "pools", (item, path) => reader.read(rules.pool, item, path));
  const problems = rules.problems(onto, pools);
  const derived = pools.map((each, index) =>
    each === undefined || onto === undefined
      ? undefined
      : poolOfCloud(reader, index, each, rules.gpuPool(each, onto)),
  );
  if (onto === undefined) return { platform: undefined, pools: derived, problems };
  // Both were read by the rules of their kind, which TypeScript cannot follow through a table.
  const platform: unknown = { kind, cluster: onto, pools: pools.filter((each) => each !== undefined) };
  return { platform: platform as CloudPlatform, pools: derived, problems };
}

/** A cloud's pool as planning, serving and render know pools; undefined where it has no facts. */
function poolOfCloud(
  reader: SectionReader,
  index: number,
  from: CloudPool,
  facts: Written | undefined,
): PoolConfiguration | undefined {
  if (facts === undefined) return undefined;
  const { name, labels, protect, nodes, capacity, namespaceSelector, driverBranch } = from;
  const written = { ...facts, ...(namespaceSelector === undefined ? {} : { namespaceSelector }) };
  const read = reader.read(pool, { name, labels, nodes, ...written }, ["pools", index]);
  if (read === undefined) return undefined;
  const kept = {
    ...(protect === undefined ? {} : { protect }),
    ...(driverBranch === undefined ? {} : { driverBranch }),
  };
  return { ...read, ...kept, capacity, written: gpuPoolSpecOf(written, from, capacity.kind !== "onDemand") };
}

/** The spec of a pool's GpuPool: facts word for word, and what follows from nodes and capacity. */
function gpuPoolSpecOf(
  facts: Written,
  { nodes, capacity }: Pick<CloudPool, "nodes" | "capacity">,
  saysCapacity: boolean,
): Written {
  return {
    ...facts,
    ...(nodes.max > nodes.min ? { nodes: { max: nodes.max } } : {}),
    ...(saysCapacity ? { capacity: capacity.kind } : {}),
  };
}
