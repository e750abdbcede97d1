// A process that leads and writes as fast as it can: for tests that pause or kill it. Arguments: kubeconfig,
// namespace, identity. Says "leading" on standard output; ends with 3 when its leadership is lost.
import { connectProcess, electorFor, writeWhileLeading } from "./leading.ts";

const [kubeconfig = "", namespace = "", identity = ""] = process.argv.slice(2);
const connection = await connectProcess(kubeconfig, identity);
const elector = electorFor(connection, namespace, identity);
const end = new AbortController();
process.once("SIGTERM", () => end.abort(new Error("SIGTERM")));
await elector.acquire(end.signal);
process.stdout.write("leading\n");
const writing = writeWhileLeading(connection, elector, namespace, identity, end.signal);
try {
  await elector.hold(end.signal);
} catch {
  process.exitCode = 3;
  end.abort(new Error("lost"));
}
await writing;
await elector.release();
await connection.close();
