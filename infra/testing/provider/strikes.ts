// Planned faults as a provider commits them, the same for every type and every package.

import { type Fault, type FaultedOperation, faultOf } from "../faults.ts";

/** A call that a fault may be planned for. */
export interface StruckCall {
  readonly type: string;
  readonly name: string;
  /** A preview is never struck. */
  readonly preview?: boolean;
}

/** Does what is asked of a provider, with whatever fault is planned for it. */
export type Strikes = <Result>(
  operation: FaultedOperation,
  call: StruckCall,
  act: () => Promise<Result>,
  uninitialized?: (result: Result, message: string) => Error,
) => Promise<Result>;

/** `signal` ends a call that hangs. */
export function strikes(faultsFolder: string | undefined, signal: AbortSignal): Strikes {
  return async (operation, call, act, uninitialized) => {
    const fault = call.preview === true ? undefined : await faultOf(faultsFolder, { ...call, operation });
    if (fault !== undefined) await strikeBefore(fault, signal);
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
async function strikeBefore(fault: Fault, signal: AbortSignal): Promise<void> {
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
