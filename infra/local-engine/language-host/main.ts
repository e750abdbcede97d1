// Stands for Pulumi's own Node language host, which cannot be installed as a module: it runs the program with the
// unchanged `@pulumi/pulumi/cmd/run`. Programs are ECMAScript modules, in TypeScript that Node itself runs.
//
// It differs from the real one in that it
// - installs, generates and packs nothing, and asks for no plugin: all are on the PATH;
// - compiles no TypeScript: what Node cannot run as it is does not run;
// - packs no functions of a program, and maps no stack to other sources (lean-sdk.ts);
// - runs no plugins written in Node but policy packs, and tells those nothing of the stack's configuration.

import grpc from "@pulumi/pulumi/proto/language_grpc_pb.js";

import { servePlugin } from "../protocol/serve.ts";
import { languageRuntime } from "./language-runtime.ts";

// The engine's address comes last, after flags that have no meaning here.
const engineAddress = process.argv.slice(2).findLast((argument) => !argument.startsWith("-")) ?? "";
const runtime = languageRuntime(engineAddress);
await servePlugin(grpc.LanguageRuntimeService, runtime.service, () => runtime.stop());
