// How Pulumi starts both projects. Plain JavaScript, which any Node runs: the sources are TypeScript that only a newer one
// runs as it is, and an older one would end in a stack trace.
import { readFileSync } from "node:fs";
import { RunError } from "@pulumi/pulumi";

/**
 * The program of a project: its outputs are the exports of the module that `load` imports. One that is undefined is no
 * output: Pulumi would warn of it at every run.
 */
export function program(load) {
  return async () => {
    refuseOldNode(process.versions.node);
    const exported = Object.entries(await load());
    return Object.fromEntries(exported.filter(([, value]) => value !== undefined));
  };
}

/** Pulumi runs programs with the Node on PATH, whichever that is; `npm run infra` brings the checkout's own. */
function refuseOldNode(version) {
  const { engines } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const needed = Number(/\d+/.exec(engines.node)?.[0]);
  if (Number.parseInt(version, 10) >= needed) return;
  throw new RunError(
    `Node ${needed} or later must be on PATH: Pulumi has started this program with Node ${version} (${process.execPath}), which does not run its TypeScript. In a checkout, node_modules/.bin has one: PATH="<checkout>/node_modules/.bin:$PATH" pulumi …`,
  );
}
