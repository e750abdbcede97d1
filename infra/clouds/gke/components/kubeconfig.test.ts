import { expect, test } from "vitest";
import { parse } from "yaml";
import { gkeContext, gkeKubeconfig } from "./kubeconfig.ts";

const access = {
  project: "my-project",
  region: "us-central1",
  name: "llama",
  server: "https://192.0.2.1",
  certificateAuthority: "Q0E=",
};

test("a kubeconfig logs in by Google's plugin, and holds no credential", () => {
  const config = parse(gkeKubeconfig(access)) as {
    readonly users: readonly { readonly user: Readonly<Record<string, unknown>> }[];
  };
  const context = "gke_my-project_us-central1_llama";
  expect(gkeContext(access)).toBe(context);
  expect(config).toMatchObject({
    "current-context": context,
    clusters: [{ cluster: { server: "https://192.0.2.1", "certificate-authority-data": "Q0E=" } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });
  expect(config.users.map(({ user }) => Object.keys(user))).toEqual([["exec"]]);
  expect(config.users[0]?.user).toMatchObject({ exec: { command: "gke-gcloud-auth-plugin" } });
});
