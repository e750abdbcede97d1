// What a table of replacing fields holds. The SDKs of npm say nowhere which arguments force a replacement (no
// `replaceOnChanges`, and the providers' schemas are not in the packages), so that each cloud has a table, and each line
// of it a source. infra/clouds/replacing-fields.test.ts holds the tables against the providers' own lists.

/** An argument of a pool's resource that a cloud changes only by making the pool anew. */
export interface ReplacingField {
  /**
   * Path in the resource's arguments, such as `nodeConfig.taints`. `[]` stands for every element of a list:
   * `nodeConfig.guestAccelerators[].gpuDriverInstallationConfig`. All that lies below the path counts.
   */
  readonly field: string;
  /** Why it replaces, as a clause that ends a sentence of the refusal. */
  readonly reason: string;
  /** Where that is written: `repository:path`, a page or an issue. */
  readonly source: string;
}
