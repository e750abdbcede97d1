// Loaded before a program or a policy pack: two packages that Pulumi's SDK loads at every start, and that took almost
// half of a program's processor time, are empty here. Neither has work: source maps (Node runs the sources as they are,
// and the SDK asks for a stack with every resource), and npm's Arborist, which packs functions of a program that become
// cloud functions.

import { registerHooks } from "node:module";

const left = /\/node_modules\/(?:source-map-support\/register\.js|@npmcli\/arborist\/lib\/index\.js)$/;

registerHooks({
  load: (url, context, nextLoad) =>
    left.test(url) ? { format: "commonjs", source: "", shortCircuit: true } : nextLoad(url, context),
});
