// From a change of some object to the keys to reconcile, and which changes are worth it. No mapping looks at the
// kind of change: what a reconciler does depends on the state it reads, never on the event that woke it.
import { controllerOf, refOf, type KubeObject, type Live, type ObjectRef } from "../client/object.ts";
import type { ResourceType } from "../client/resource.ts";
import type { StoreChange } from "../cache/store.ts";

/** The objects to reconcile because of this one. */
export type Mapper<T extends KubeObject> = (object: Live<T>) => Iterable<ObjectRef>;

/** Whether a change is worth a reconcile. */
export type Predicate<T extends KubeObject> = (change: StoreChange<T>) => boolean;

/** The object itself. */
export function toSelf<T extends KubeObject>(object: Live<T>): readonly ObjectRef[] {
  return [refOf(object)];
}

/** The owner with `controller: true`, where it is of this kind. */
export function toController(owner: ResourceType): Mapper<KubeObject> {
  return (object) => {
    const controller = controllerOf(object);
    if (controller === undefined || controller.kind !== owner.kind) return [];
    const group = controller.apiVersion.includes("/") ? controller.apiVersion.split("/", 1)[0] : "";
    if (group !== owner.group) return [];
    return [ownerRef(owner, object, controller.name)];
  };
}

/** The object named by a label: for grandchildren, whose controller is another object. */
export function toLabelled(label: string, owner: Pick<ResourceType, "namespaced">): Mapper<KubeObject> {
  return (object) => {
    const name = object.metadata.labels?.[label];
    return name === undefined || name === "" ? [] : [ownerRef(owner, object, name)];
  };
}

/** Everything but changes of status alone, for kinds whose spec has a generation. */
export function specChanged(change: StoreChange<KubeObject>): boolean {
  if (change.type !== "updated") return true;
  const before = change.previous.metadata;
  const after = change.object.metadata;
  return (
    before.uid !== after.uid ||
    before.generation !== after.generation ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    !sameMap(before.labels, after.labels) ||
    !sameMap(before.annotations, after.annotations)
  );
}

function ownerRef(
  owner: Pick<ResourceType, "namespaced">,
  object: Live<KubeObject>,
  name: string,
): ObjectRef {
  return owner.namespaced ? { namespace: object.metadata.namespace, name } : { name };
}

function sameMap(
  left: Readonly<Record<string, string>> | undefined,
  right: Readonly<Record<string, string>> | undefined,
): boolean {
  const names = Object.keys(left ?? {});
  return (
    names.length === Object.keys(right ?? {}).length && names.every((name) => left?.[name] === right?.[name])
  );
}
