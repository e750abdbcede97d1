// What Azure Resource Manager says and the provider has no function for, read with the provider's own login.
import { getClientToken } from "@pulumi/azure-native/authorization/getClientToken.js";
import type { InvokeOptions } from "@pulumi/pulumi";
import { z } from "zod";

/** Long enough for Azure, short enough for a preview. */
const timeoutMs = 30_000;

/**
 * Azure's clouds by the names that the provider takes in ARM_ENVIRONMENT.
 * Source: pulumi/pulumi-azure-native provider/pkg/azure/cloud; learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure.
 */
const endpoints: Readonly<Record<string, string>> = {
  public: "https://management.azure.com",
  usgovernment: "https://management.usgovcloudapi.net",
  china: "https://management.chinacloudapi.cn",
};

/** Reads a path such as `/subscriptions/…`. @throws Error in Azure's words */
export type ManagementApi = (path: string) => Promise<unknown>;

export function managementApi(
  options: InvokeOptions,
  environment = process.env["ARM_ENVIRONMENT"] ?? "public",
): ManagementApi {
  return async (path) => {
    const endpoint = endpoints[environment];
    if (endpoint === undefined) throw new Error(`the endpoint of the cloud ${environment} is not known here`);
    const { token } = await getClientToken({}, options);
    const response = await fetch(`${endpoint}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Status=${response.status} ${text}`);
    return JSON.parse(text);
  };
}

/** Source: learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions. */
const kubernetesVersions = z.object({
  values: z.array(
    z.object({
      version: z.string(),
      isPreview: z.boolean().nullish(),
      capabilities: z.object({ supportPlan: z.array(z.string()).nullish() }).nullish(),
      patchVersions: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});

/** The plan of clusters that pay for no longer support, as this stack's do. */
const usualPlan = "KubernetesOfficial";

/** Versions that AKS sells in a location: minor versions and, after each, its patches. */
export async function soldVersions(
  read: ManagementApi,
  subscription: string,
  location: string,
): Promise<readonly string[]> {
  const path = `/subscriptions/${subscription}/providers/Microsoft.ContainerService/locations/${location}/kubernetesVersions?api-version=2025-09-01`;
  const { values } = kubernetesVersions.parse(await read(path));
  return values
    .filter(
      ({ isPreview, capabilities }) =>
        isPreview !== true && (capabilities?.supportPlan?.includes(usualPlan) ?? true),
    )
    .flatMap(({ version, patchVersions }) => [version, ...Object.keys(patchVersions ?? {})]);
}
