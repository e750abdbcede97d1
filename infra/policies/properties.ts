// Reads a resource's properties as a policy gets them: data of which a preview does not know everything. What is not
// known yet throws when it is read (@pulumi/policy's proxy.ts); here it is absent, unless only presence is asked for.

export class Properties {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The text at a path such as `nodeConfig.machineType`; absent where there is none or it is not known. */
  text(path: string): string | undefined {
    const value = this.#at(path);
    return typeof value === "string" ? value : undefined;
  }

  number(path: string): number | undefined {
    const value = this.#at(path);
    return typeof value === "number" ? value : undefined;
  }

  /** Whether it is true; aws writes some booleans as text. */
  isTrue(path: string): boolean {
    const value = this.#at(path);
    return value === true || value === "true";
  }

  isFalse(path: string): boolean {
    const value = this.#at(path);
    return value === false || value === "false";
  }

  /** Whether something is set, known or not. */
  has(path: string): boolean {
    const value = this.#at(path);
    return value !== undefined && value !== null;
  }

  /** How many elements a list has, known or not. */
  count(path: string): number {
    const value = this.#at(path);
    return Array.isArray(value) ? value.length : 0;
  }

  /** The elements of a list. */
  list(path: string): readonly Properties[] {
    return Array.from(
      { length: this.count(path) },
      (_, index) => new Properties(this.#at(`${path}.${index}`)),
    );
  }

  /** The texts of a list, without those that are not known. */
  texts(path: string): readonly string[] {
    return Array.from({ length: this.count(path) }, (_, index) => this.text(`${path}.${index}`)).filter(
      (each) => each !== undefined,
    );
  }

  #at(path: string): unknown {
    let value = this.#value;
    for (const name of path.split(".")) {
      if (typeof value !== "object" || value === null) return undefined;
      try {
        value = (value as Readonly<Record<string, unknown>>)[name];
      } catch {
        return unknownValue;
      }
    }
    return value;
  }
}

/** Stands for what is set and not known. */
const unknownValue = Symbol("unknown");
