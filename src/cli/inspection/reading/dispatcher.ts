// Connections for an inspection: through the proxies that the environment names, as other programs do it.
import { EnvHttpProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import { InspectionError } from "../errors.ts";

const connectTimeoutMs = 10_000;

/** Opens no connection yet. `env` is read for HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in small letters first. */
export function proxiedDispatcher(env: Readonly<Record<string, string | undefined>>): Dispatcher {
  const variable = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  try {
    return new EnvHttpProxyAgent({
      httpProxy: variable("HTTP_PROXY"),
      httpsProxy: variable("HTTPS_PROXY"),
      noProxy: variable("NO_PROXY"),
      connect: { timeout: connectTimeoutMs },
    });
  } catch (error) {
    throw new InspectionError("target", "HTTP_PROXY or HTTPS_PROXY: not a proxy's address", { cause: error });
  }
}
