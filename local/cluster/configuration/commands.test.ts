import { expect, test } from "vitest";
import type { BuiltPrograms } from "../build/build.ts";
import {
  apiServer,
  controllerManager,
  etcd,
  kubectlCommand,
  kwok,
  leaderWorkerSet,
  scheduler,
} from "./commands.ts";
import { clusterLayout, preferredPorts } from "./layout.ts";

const programs: BuiltPrograms = {
  supervisor: "/cache/supervisor",
  "control-plane": "/cache/control-plane",
  kwok: "/cache/kwok",
  "leader-worker-set": "/cache/lws",
};
const layout = clusterLayout("demo", "/state/demo", "127.3", preferredPorts);
const all = [
  etcd(programs, layout),
  apiServer(programs, layout, true),
  controllerManager(programs, layout),
  scheduler(programs, layout),
  kwok(programs, layout),
  leaderWorkerSet(programs, layout),
];

test("nothing listens or connects outside the cluster's own addresses", () => {
  const addresses = all.flatMap(({ command }) => command.join(" ").match(/\b\d+\.\d+\.\d+\.\d+\b/g) ?? []);
  const foreign = addresses.filter((address) => !address.startsWith("127.3."));
  // Service addresses are virtual.
  expect(foreign).toEqual(["10.96.0.0"]);
});

test("every program but etcd says where it answers once it is ready", () => {
  expect(all.filter(({ readyUrl }) => readyUrl === undefined).map(({ name }) => name)).toEqual(["etcd"]);
});

test("the API server writes an audit log only where one is asked for", () => {
  const audited = apiServer(programs, layout, true).command.filter((flag) => flag.startsWith("--audit"));
  expect(audited).toContain("--audit-log-path=/state/demo/audit.log");
  expect(apiServer(programs, layout, false).command.join(" ")).not.toContain("--audit");
});

test("only the API server's environment names the proxy that leads to Services, over what the machine's says", () => {
  const led = all.filter(({ environment }) => environment?.["HTTPS_PROXY"] !== undefined);
  expect(led.map(({ name, environment }) => [name, environment])).toEqual([
    ["kube-apiserver", { HTTPS_PROXY: "http://127.3.255.254:26080", NO_PROXY: "", no_proxy: "" }],
  ]);
});

test("the endpoint controllers are off and every other controller is on", () => {
  expect(controllerManager(programs, layout).command).toContain(
    "--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller",
  );
});

test("KWOK plays only the nodes that ask for it, with addresses of the cluster's block", () => {
  expect(kwok(programs, layout).command).toEqual(
    expect.arrayContaining([
      "--manage-all-nodes=false",
      "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
      "--cidr=127.3.0.0/16",
    ]),
  );
});

test("kubectl takes further arguments after the administrator's kubeconfig", () => {
  expect(kubectlCommand(programs, layout)).toEqual([
    "/cache/control-plane/control-plane",
    "kubectl",
    "--kubeconfig=/state/demo/kubeconfig",
    "--cache-dir=/state/demo/kubectl-cache",
  ]);
});
