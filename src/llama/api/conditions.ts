// Condition types and reasons of the kinds. kstatus decides for kubectl, Helm, Pulumi, Flux and Argo alike:
// Ready always; Reconciling and Stalled only while true. Each reason has one line on when it is set.

/** Condition types of a LlamaDeployment. */
export const conditionTypes = {
  /** This generation is fully rolled out and answering; at zero wanted, True with reason ScaledToZero. */
  ready: "Ready",
  /** Some replica of any revision answers. */
  available: "Available",
  /** Work is under way; present only while True. */
  reconciling: "Reconciling",
  /** Nothing will change until the user acts; present only while True. */
  stalled: "Stalled",
  /** The planner found a layout that fits. */
  planned: "Planned",
  /** Every wanted pod has a node. */
  scheduled: "Scheduled",
  /** Every wanted replica has loaded its weights. */
  modelLoaded: "ModelLoaded",
  /** The plan in force is not what this spec would be planned to; present only while True. */
  planDiffers: "PlanDiffers",
  /** The pool asks something else of pods by now than is on those that run; present only while True. */
  placementDiffers: "PlacementDiffers",
} as const;

/** Reasons for people and machines; `kubectl wait`, alerts and tests may rely on them. */
export const reasons = {
  /** Everything asked for by this generation answers. */
  Serving: "Serving",
  /** Zero replicas are wanted, and none runs. */
  ScaledToZero: "ScaledToZero",
  /** New pods are on their way, or old ones are still leaving. */
  RollingOut: "RollingOut",
  /** Fewer replicas answer than are wanted. */
  ReplicasUnavailable: "ReplicasUnavailable",
  /** No replica of any revision answers. */
  NoReplicaReady: "NoReplicaReady",
  /** A layout was found. */
  Fits: "Fits",
  /** The plan was stored by an earlier release, and may have settings of an earlier spec; the message has both values. */
  PlanDiffers: "PlanDiffers",
  /** The pool has another selector, other tolerations or resource names: pods that run stay, others are made so. */
  PoolChanged: "PoolChanged",
  /** Every wanted pod has a node. */
  PodsScheduled: "PodsScheduled",
  /** Pods are made and have no node yet; nothing says that they will not get one. */
  PlacingPods: "PlacingPods",
  /** Some pods wait for GPUs to become free or nodes to be added. */
  WaitingForGpus: "WaitingForGpus",
  /** Enough GPUs are free, but scattered over nodes where whole nodes are needed. */
  Fragmented: "Fragmented",
  /** GPUs are free, and something else keeps pods from them: taints, CPU, memory; the message says what. */
  Unschedulable: "Unschedulable",
  /** Weights are being fetched or loaded. */
  Loading: "Loading",
  /** Every wanted replica has its weights in GPU memory. */
  Loaded: "Loaded",
  /** An engine ended or refuses to start; the message holds its own last words. */
  EngineFailed: "EngineFailed",
  /** An engine runs and reports a KV cache smaller than planned, beyond the planner's accuracy; as an event alone. */
  KvCacheSmallerThanPlanned: "KvCacheSmallerThanPlanned",
  /** The node of a replica is not Ready: a group is made anew only once its pods there have ended. */
  NodeLost: "NodeLost",
  /** Somebody added to the pods of a workload, and that was taken out again; as an event alone. */
  TemplateRepaired: "TemplateRepaired",
  /** Somebody keeps adding to the pods of a workload: it is left, since each change restarts pods; as an event alone. */
  TemplateChanged: "TemplateChanged",
  /** The kubelet cannot pull the engine's image: a wait, since it tries again. */
  ImageNotPulled: "ImageNotPulled",
  /** The leader of a group does not have the labels that the Service selects: somebody took it out of service. */
  OutOfService: "OutOfService",

  /** The spec breaks a rule that the API server could not see. */
  InvalidSpec: "InvalidSpec",
  /** The catalog has no such model, and the spec has no profile. */
  UnknownModel: "UnknownModel",
  /** The catalog has no such version of the engine, or it is too old to be safe. */
  UnsupportedEngine: "UnsupportedEngine",
  /** No layout of the model fits a node of any usable pool. */
  DoesNotFit: "DoesNotFit",
  /** The degrees asked for are not legal for the model or the machine. */
  IllegalParallelism: "IllegalParallelism",
  /** The context asked for is longer than the model's. */
  ContextTooLong: "ContextTooLong",
  /** No GpuPool is there that this object may use: a wait, since one may come. */
  NoPool: "NoPool",
  /** A Secret that the spec names is missing: a wait. */
  SecretNotFound: "SecretNotFound",
  /** A PersistentVolumeClaim that the spec names is missing: a wait. */
  ClaimNotFound: "ClaimNotFound",
  /** The namespace's Pod Security level refuses the pods that the fabric needs. */
  PodSecurity: "PodSecurity",
  /** The plan spans nodes and LeaderWorkerSet is not installed: a wait. */
  LeaderWorkerSetMissing: "LeaderWorkerSetMissing",
  /** An object of a name that we need is there and not ours. */
  NameConflict: "NameConflict",
  /** The PriorityClass that the spec names is missing: a wait. */
  PriorityClassNotFound: "PriorityClassNotFound",
  /** The API server refuses to write a child, for a quota, an admission policy or a rule of its own: tried again. */
  WriteRefused: "WriteRefused",
  /** The API server answers a write with an error, or a pass failed otherwise: tried again. */
  WriteFailed: "WriteFailed",
  /** The pods of a workload are refused, for a quota, an admission policy or a missing ServiceAccount: tried again. */
  PodsRefused: "PodsRefused",
  /** A workload of this object is there whose revision is gone or cannot be read: it is left as it is. */
  UnknownWorkload: "UnknownWorkload",
  /** Objects of an earlier LlamaDeployment of this name are still being deleted: a wait. */
  PredecessorLeaving: "PredecessorLeaving",
} as const;

export type ConditionType = (typeof conditionTypes)[keyof typeof conditionTypes];
export type Reason = (typeof reasons)[keyof typeof reasons];
