// What an inspection needs, for tests: real connections that the end of the test closes, and no waiting.
import { Agent } from "undici";
import type { InspectionContext } from "../inspect.ts";
import { HttpClient } from "../reading/http-client.ts";
import { ReadBudget } from "../reading/read-budget.ts";

type End = () => Promise<unknown>;

/** Collects what a test must close, and closes it. */
export function endings(): { readonly onEnd: (end: End) => void; readonly endAll: () => Promise<void> } {
  const ends: End[] = [];
  return {
    onEnd: (end) => ends.push(end),
    endAll: async () => {
      for (const end of ends.splice(0)) await end();
    },
  };
}

export function inspectionContext(
  onEnd: (end: End) => void,
  signal: AbortSignal = new AbortController().signal,
): InspectionContext {
  const dispatcher = new Agent();
  onEnd(() => dispatcher.destroy());
  const budget = new ReadBudget(512_000_000);
  const wait = async () => undefined;
  return { client: new HttpClient({ dispatcher, budget, userAgent: "test", wait }), budget, signal };
}
