// The sections of a stack's configuration, in the order in which people write them.
export const sections = [
  "cluster",
  "pools",
  "allowReplace",
  "namespaces",
  "volumes",
  "leaderWorkerSet",
  "operator",
  "models",
] as const;
