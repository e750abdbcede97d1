// What `kubectl get` prints of each kind. Priority 1 is for `-o wide`.

/** One column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

const age: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since creation.",
};

const ready: PrinterColumn = {
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: "Whether this generation is fully rolled out.",
};

const reason: PrinterColumn = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: "Why it is ready or not.",
};

export const llamaDeploymentColumns: readonly PrinterColumn[] = [
  { name: "Model", type: "string", jsonPath: ".spec.model.name", description: "Model that is served." },
  ready,
  reason,
  {
    name: "Serving",
    type: "integer",
    jsonPath: ".status.readyReplicas",
    description: "Replicas that answer.",
  },
  { name: "Wanted", type: "integer", jsonPath: ".spec.replicas", description: "Replicas that are wanted." },
  { name: "TP", type: "integer", jsonPath: ".status.plan.tensor", description: "Tensor parallel degree." },
  {
    name: "PP",
    type: "integer",
    jsonPath: ".status.plan.pipeline",
    description: "Pipeline parallel degree.",
  },
  {
    name: "GPUs",
    type: "integer",
    jsonPath: ".status.plan.gpusPerReplica",
    description: "GPUs of one replica.",
  },
  age,
  {
    name: "Pool",
    type: "string",
    jsonPath: ".status.plan.pool",
    description: "GpuPool of the replicas.",
    priority: 1,
  },
  {
    name: "Endpoint",
    type: "string",
    jsonPath: ".status.endpoint",
    description: "Base URL of the OpenAI-compatible API.",
    priority: 1,
  },
  {
    name: "Concurrency",
    type: "string",
    jsonPath: ".status.plan.maxConcurrency",
    description: "Requests of full length that one replica holds at once.",
    priority: 1,
  },
  {
    name: "Drift %",
    type: "string",
    jsonPath: ".status.plan.measured.driftPercent",
    description: "KV cache that the engine reports, against the plan.",
    priority: 1,
  },
  {
    name: "Checkpoint",
    type: "string",
    jsonPath: ".status.plan.checkpoint",
    description: "Where the weights come from.",
    priority: 1,
  },
];

export const gpuPoolColumns: readonly PrinterColumn[] = [
  { name: "GPU", type: "string", jsonPath: ".spec.gpu.product", description: "GPU of the nodes." },
  { name: "Per node", type: "integer", jsonPath: ".spec.gpu.perNode", description: "GPUs of one node." },
  { name: "Nodes", type: "integer", jsonPath: ".status.nodes", description: "Ready nodes." },
  {
    name: "Free nodes",
    type: "integer",
    jsonPath: ".status.gpus.freeWholeNodes",
    description: "Nodes with every GPU free.",
  },
  {
    name: "Used",
    type: "integer",
    jsonPath: ".status.gpus.used",
    description: "GPUs that pods have requested.",
  },
  { name: "Total", type: "integer", jsonPath: ".status.gpus.total", description: "GPUs of the ready nodes." },
  age,
  {
    name: "Machine",
    type: "string",
    jsonPath: ".spec.machineShape",
    description: "Machine of the nodes.",
    priority: 1,
  },
  {
    name: "Capacity",
    type: "string",
    jsonPath: ".spec.capacity",
    description: "How the cloud gives the nodes.",
    priority: 1,
  },
  {
    name: "Max nodes",
    type: "integer",
    jsonPath: ".spec.nodes.max",
    description: "Nodes that an autoscaler may grow the pool to.",
    priority: 1,
  },
  {
    name: "Fabric",
    type: "string",
    jsonPath: ".spec.fabric.type",
    description: "Network between the nodes' GPUs.",
    priority: 1,
  },
];
