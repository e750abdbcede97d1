// What the names of PriorityClasses are worth, to be asked for a thousand times a pass.
import type { Observed } from "./sources.ts";
import type { PriorityClass } from "../observed/priority-class.ts";

/** The priority of pods that name a PriorityClass, or none. */
export class Priorities {
  #byName: ReadonlyMap<string, number> = new Map();
  #default = 0;

  /** `changed` is called when some value is another than before. */
  constructor(classes: Observed<PriorityClass>, changed: () => void) {
    classes.onChange(() => {
      const all = classes.store.list();
      this.#byName = new Map(all.map(({ metadata, value }) => [metadata.name, value]));
      this.#default = all.find(({ globalDefault }) => globalDefault)?.value ?? 0;
      changed();
    });
  }

  /** 0 for a class that is not there: its pods are refused anyway. */
  readonly of = (name: string | undefined): number =>
    name === undefined ? this.#default : (this.#byName.get(name) ?? 0);
}
