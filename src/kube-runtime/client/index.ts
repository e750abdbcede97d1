// The public names of @llama-operator/kube-runtime/client. Other parts can import these and nothing else.
export type { KubeClient, ListPage } from "./client.ts";
export {
  ApiError,
  ConfigError,
  ConnectionError,
  FencedError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isNotFound,
  isRefused,
  isUnauthorized,
} from "./errors.ts";
export {
  type KubeObject,
  type Live,
  type LiveMeta,
  type ObjectMeta,
  type ObjectRef,
  controllerOf,
  isTerminating,
  objectKey,
  parseObjectKey,
  refOf,
} from "./object.ts";
export { type ResourceType, groupVersionPath, resourceType } from "./resource.ts";
