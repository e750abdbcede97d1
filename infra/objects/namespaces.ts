// Namespaces, as objects that Pulumi and the rendered files share.

export interface NamespaceObject {
  readonly apiVersion: "v1";
  readonly kind: "Namespace";
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

export function namespaceObject(
  name: string,
  labels: Readonly<Record<string, string>> = {},
): NamespaceObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
  };
}

/** Pod security of a namespace whose pods need no privilege: the API server refuses any that asks for one. */
export const restrictedLabels = { "pod-security.kubernetes.io/enforce": "restricted" } as const;
