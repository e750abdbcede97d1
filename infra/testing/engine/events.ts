// What the engine tells while it works, as its event log holds it: one JSON object a line. Only the parts that tests
// look at are typed (github.com/pulumi/pulumi/sdk/v3/go/common/apitype, EngineEvent).

export interface StepMetadata {
  /** `same`, `create`, `update`, `replace`, `create-replacement`, `delete-replaced`, `delete`, `refresh`, … */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** Property paths that force a replacement. */
  readonly keys?: readonly string[] | null;
  /** Property paths that differ. */
  readonly diffs?: readonly string[] | null;
}

export interface EngineEvent {
  readonly sequence: number;
  readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata; readonly planning?: boolean };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata; readonly planning?: boolean };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly policyEvent?: { readonly policyName: string; readonly message: string };
  /** How many resources each operation touched. */
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> | null };
}

/** The events of a log; a last line that a killed engine cut short is left out. */
export function parseEventLog(text: string): readonly EngineEvent[] {
  return text.split("\n").flatMap((line) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as EngineEvent];
    } catch {
      return [];
    }
  });
}

/** Operations and how many resources each touched, as the last summary says; empty where the run did not get there. */
export function resourceChanges(events: readonly EngineEvent[]): Readonly<Record<string, number>> {
  return events.findLast((event) => event.summaryEvent !== undefined)?.summaryEvent?.resourceChanges ?? {};
}

/** The steps that the engine took, in the order of their begin: `create kubernetes:core/v1:Namespace name`. */
export function steps(events: readonly EngineEvent[]): readonly string[] {
  return events.flatMap(({ resourcePreEvent }) => {
    if (resourcePreEvent === undefined) return [];
    const { op, type, urn } = resourcePreEvent.metadata;
    return [`${op} ${type} ${urn.slice(urn.lastIndexOf("::") + 2)}`];
  });
}

/** What the engine and the program complained of. */
export function errors(events: readonly EngineEvent[]): readonly string[] {
  return events.flatMap(({ diagnosticEvent }) =>
    diagnosticEvent?.severity === "error" ? [diagnosticEvent.message.trim()] : [],
  );
}
