import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { aksEndpoint, aksKubeconfig } from "./kubeconfig.ts";

const given = {
  clusters: [
    { name: "c", cluster: { server: "https://llama.example:443", "certificate-authority-data": "Y2E=" } },
  ],
  users: [{ name: "u", user: { token: "made-up-secret", "client-key-data": "made-up-key" } }],
};
const userKubeconfig = Buffer.from(stringify(given)).toString("base64");
const endpoint = { server: "https://llama.example:443", certificateAuthority: "Y2E=" };

test("of the kubeconfig that AKS gives, only server and authority are kept", () => {
  expect(aksEndpoint(userKubeconfig)).toEqual(endpoint);
});

test("a kubeconfig calls kubelogin and holds no credential", () => {
  const text = aksKubeconfig({ name: "llama", login: "azurecli" }, aksEndpoint(userKubeconfig));
  expect(text).not.toContain("made-up");
  expect(parse(text)).toMatchObject({
    "current-context": "llama",
    clusters: [{ name: "llama", cluster: { server: endpoint.server } }],
    users: [
      {
        user: {
          exec: {
            command: "kubelogin",
            args: ["get-token", "--login", "azurecli", "--server-id", expect.stringMatching(/^6dae42f8-/)],
          },
        },
      },
    ],
  });
});

test("a tenant that is named is logged in to", () => {
  const text = aksKubeconfig({ name: "llama", login: "spn", tenant: "t" }, endpoint);
  expect(text).toContain('"--login","spn"');
  expect(text).toContain('"--tenant-id","t"');
});
