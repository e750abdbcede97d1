// The public names of @llama-operator/kube-runtime/process. Other parts can import these and nothing else.
export { monitorEventLoop } from "./event-loop.ts";
export { EventRecorder } from "./events.ts";
export { HealthServer } from "./health.ts";
export { LeaseElector } from "./lease.ts";
export { Manager, type Runnable } from "./manager.ts";
export {
  type ServerVersionNeed,
  ServerVersionError,
  requireServerVersion,
  runtimeServerVersion,
} from "./server-version.ts";
