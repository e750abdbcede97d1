// What a stack's configuration holds once it has been read: the one shape that planning, platform, serving, render and
// the command line work on.
import type { ModelConfiguration, NamespaceConfiguration } from "./model.ts";
import type { LeaderWorkerSetConfiguration, OperatorConfiguration } from "./operator.ts";
import type { PlatformConfiguration } from "./platform.ts";
import type { PoolConfiguration } from "./pool.ts";
import type { VolumeConfiguration } from "./volume.ts";

/** A stack's configuration with its defaults. */
export interface StackConfiguration {
  /** The cluster that is there, or the cluster and pools that a cloud is to make. */
  readonly platform: PlatformConfiguration;
  /** The pools as planning, serving and render know them, whether a cloud makes them or not. */
  readonly pools: readonly PoolConfiguration[];
  /** Pools that a change may replace: all their nodes go, and the same capacity may not be available again. */
  readonly allowReplace: readonly string[];
  readonly namespaces: readonly NamespaceConfiguration[];
  readonly volumes: readonly VolumeConfiguration[];
  readonly leaderWorkerSet: LeaderWorkerSetConfiguration;
  readonly operator: OperatorConfiguration;
  /** Whether values of the operator's chart came by Pulumi's configuration: then they are kept a secret. */
  readonly secretChartValues?: boolean;
  readonly models: readonly ModelConfiguration[];
}
