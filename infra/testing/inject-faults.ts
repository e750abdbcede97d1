// Planned faults as a provider commits them, the same for every type and every package.

import type { MakeInterceptor } from "../local-engine/provider/interceptor.ts";
import { type Fault, faultOf } from "./faults.ts";

/** Lets the faults that the folder plans happen; none without a folder. Previews never fail. */
export function injectFaults(faultsFolder: string | undefined): MakeInterceptor {
  return (signal) => async (operation, call, act, uninitialized) => {
    const fault = call.preview === true ? undefined : await faultOf(faultsFolder, { ...call, operation });
    if (fault !== undefined) await failBefore(fault, signal);
    const result = await act();
    if (fault?.effect === "dieAfterwards") process.kill(process.pid, "SIGKILL");
    if (fault?.effect === "hangAfterwards") await untilAborted(signal);
    if (fault?.effect === "uninitialized" && uninitialized !== undefined) {
      throw uninitialized(result, fault.message ?? "planned: it is made and not ready");
    }
    return result;
  };
}

/** Returns where the operation is to be done all the same. */
async function failBefore(fault: Fault, signal: AbortSignal): Promise<void> {
  switch (fault.effect) {
    case "refuse":
      throw new Error(fault.message ?? "planned: the provider refuses");
    case "hang":
      return untilAborted(signal);
    case "die":
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    case "dieAfterwards":
    case "hangAfterwards":
    case "uninitialized":
      return undefined;
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
