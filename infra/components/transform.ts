// The escape hatch of every component: each resource that it makes can be changed before it is registered.
import type {
  ComponentResource,
  ComponentResourceOptions,
  CustomResourceOptions,
  ProviderResource,
} from "@pulumi/pulumi";

/** A resource that is about to be registered. */
export interface Registration<A> {
  readonly args: A;
  readonly options: CustomResourceOptions;
}

/** Arguments to lay over the component's own, or a function that returns what is registered instead. */
export type Transform<A> = Partial<A> | ((registration: Registration<A>) => Registration<A>);

export function transformed<A extends object>(
  transform: Transform<A> | undefined,
  registration: Registration<A>,
): Registration<A> {
  if (transform === undefined) return registration;
  if (typeof transform === "function") return transform(registration);
  return { ...registration, args: { ...registration.args, ...transform } };
}

/** Options of a component. The provider is required: a default one would take whichever cluster a shell points at. */
export interface ComponentOptions extends Omit<ComponentResourceOptions, "provider" | "providers"> {
  readonly provider: ProviderResource;
}

/** What every resource of a component has, as the component's own options say it; the engine hands no `deletedWith` down. */
export function ownOptions<Parent extends ComponentResource>(
  parent: Parent,
  { provider, deletedWith }: ComponentOptions,
): Pick<CustomResourceOptions, "deletedWith"> & {
  readonly parent: Parent;
  readonly provider: ProviderResource;
} {
  return { parent, provider, ...(deletedWith === undefined ? {} : { deletedWith }) };
}
