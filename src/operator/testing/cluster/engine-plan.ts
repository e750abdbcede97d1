// How the engines of a simulated cluster behave: by default they load for a while and then answer. A test says what
// else should befall them, by the pods that it names.
import type { Pod } from "./objects.ts";

export interface EngineBehaviour {
  /** From the start of the container, of a group from that of its last rank, to an answering engine. Default 30. */
  readonly startSeconds: number;
  /** Ends with this code after `exitAfterSeconds`, at every start. */
  readonly exitCode?: number;
  readonly exitAfterSeconds: number;
  /** Its last words, where it ends with a code. */
  readonly lastWords: string;
  /** Why the image cannot be pulled. */
  readonly imagePullError?: string;
  /** From SIGTERM to the end: the requests in flight. Default 1. */
  readonly stopSeconds: number;
}

export const defaultBehaviour: EngineBehaviour = {
  startSeconds: 30,
  exitAfterSeconds: 2,
  lastWords: "RuntimeError: the engine was told to end",
  stopSeconds: 1,
};

/** Which pods something is said of. */
export type PodChoice = (pod: Pod) => boolean;

export class EnginePlan {
  readonly #rules: { readonly choice: PodChoice; readonly behaviour: Partial<EngineBehaviour> }[] = [];

  /** Holds for starts from now on; what is said later wins. */
  say(choice: PodChoice, behaviour: Partial<EngineBehaviour>): void {
    this.#rules.push({ choice, behaviour });
  }

  /** Takes back all that was said. */
  reset(): void {
    this.#rules.length = 0;
  }

  of(pod: Pod): EngineBehaviour {
    let behaviour: EngineBehaviour = { ...defaultBehaviour, ...annotated(pod) };
    for (const rule of this.#rules) if (rule.choice(pod)) behaviour = { ...behaviour, ...rule.behaviour };
    return behaviour;
  }
}

/** The annotations of the simulated kubelet of a local cluster (local/kubelet/pod.ts), without their counts. */
function annotated({ metadata }: Pod): Partial<EngineBehaviour> {
  const said = (name: string): string | undefined => metadata.annotations?.[`sim.llama-operator.dev/${name}`];
  const exitCode = said("exit-code");
  const imagePullError = said("image-pull-error");
  return {
    ...(exitCode === undefined ? {} : { exitCode: Number(exitCode) }),
    ...(imagePullError === undefined ? {} : { imagePullError }),
  };
}
