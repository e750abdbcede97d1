// The chart's ValidatingWebhookConfiguration for an operator that is a process of this machine: called by URL, because a
// local cluster has no kube-proxy that would lead from a Service to it. A test holds the two against each other.

export interface WebhookConfigurationOptions {
  readonly name: string;
  /** `https://127.0.0.1:PORT/validate` */
  readonly url: string;
  /** Only for namespaces with these labels; cluster-scoped objects always. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

/** Without caBundle: the operator publishes its certificates there. */
export function webhookConfiguration({ name, url, namespaceLabels }: WebhookConfigurationOptions) {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
    webhooks: [
      {
        name: "validate.llama-operator.dev",
        rules: [
          {
            apiGroups: ["llama-operator.dev"],
            apiVersions: ["v1alpha1"],
            resources: ["llamadeployments", "gpupools"],
            operations: ["CREATE", "UPDATE"],
          },
        ],
        ...(namespaceLabels === undefined ? {} : { namespaceSelector: { matchLabels: namespaceLabels } }),
        matchConditions: [
          { name: "spec-changes", expression: "oldObject == null || object.spec != oldObject.spec" },
        ],
        matchPolicy: "Equivalent",
        failurePolicy: "Ignore",
        sideEffects: "None",
        timeoutSeconds: 3,
        admissionReviewVersions: ["v1"],
        clientConfig: { url },
      },
    ],
  };
}
