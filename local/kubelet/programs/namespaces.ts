// Stands for the namespaces that a container runtime gives a program, where there is none: loaded into a Node program
// before its own code (NODE_OPTIONS), it shows volumes at their mount paths and lets servers that listen on all
// addresses listen at the pod's. It also ends the program with the kubelet that started it. So the program itself is
// the one that runs in a cluster, without a word about any of this.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Server, Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import { listenArguments, mountedPath, readNamespaces } from "./namespace-rules.ts";

/** What programs read files by. */
const readers = [
  "access",
  "accessSync",
  "existsSync",
  "open",
  "openSync",
  "readdir",
  "readdirSync",
  "readFile",
  "readFileSync",
  "stat",
  "statSync",
];

const { address, mounts, lifeline } = readNamespaces(process.env);

for (const module of [fs, fs.promises] as unknown as readonly Record<string, unknown>[]) {
  for (const name of readers) {
    const original = module[name];
    if (typeof original !== "function") continue;
    module[name] = (path: unknown, ...more: readonly unknown[]): unknown =>
      Reflect.apply(original, module, [mountedPath(path, mounts), ...more]);
  }
}
syncBuiltinESMExports();

// oxlint-disable-next-line typescript/unbound-method -- called with the server as `this`
const listen: unknown = Server.prototype.listen;
if (typeof listen === "function") {
  Object.assign(Server.prototype, {
    listen(this: Server, ...args: readonly unknown[]): unknown {
      return Reflect.apply(listen, this, listenArguments(args, address));
    },
  });
}

// The kubelet holds the other end; nothing but its end closes it.
if (isMainThread && lifeline !== undefined) {
  const socket = new Socket({ fd: lifeline, readable: true });
  socket.once("close", () => process.kill(process.pid, "SIGKILL"));
  socket.on("error", () => socket.destroy());
  socket.resume();
  socket.unref();
}
