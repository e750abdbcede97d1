// The escape hatch of every component: each resource that it makes can be changed before it is registered.
import type { CustomResourceOptions, ProviderResource, ComponentResourceOptions } from "@pulumi/pulumi";

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
