// Lets equal strings of one kind's objects be one string. A thousand objects of a kind say the same in a thousand copies:
// labels, owners, images, arguments; that was a fifth of what the caches held.
//
// Caveats
// - It keeps the strings that it has seen, up to `limit`; then it forgets them all and begins anew.

export class SharedStrings {
  readonly #known = new Map<string, string>();
  readonly #limit: number;

  /** @param limit for one that lives long: what is said often is soon known again */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** Replaces strings anywhere in a value that no other code holds yet; the names of members are shared by V8. */
  share(value: unknown): void {
    if (Array.isArray(value)) this.#shareItems(value);
    else if (typeof value === "object" && value !== null)
      this.#shareMembers(value as Record<string, unknown>);
  }

  /** Lists have a loop of their own, because every event comes through here: for-in is slow over them. */
  #shareItems(items: unknown[]): void {
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      if (typeof item !== "string") this.share(item);
      else {
        const known = this.#knownOf(item);
        if (known !== undefined && !Object.isFrozen(items)) items[index] = known;
      }
    }
  }

  #shareMembers(fields: Record<string, unknown>): void {
    // Asked once and only where there is a string to replace: what is frozen is shared already.
    let isFrozen: boolean | undefined;
    for (const name in fields) {
      const member = fields[name];
      if (typeof member === "string") {
        const known = this.#knownOf(member);
        if (known === undefined) continue;
        isFrozen ??= Object.isFrozen(fields);
        if (!isFrozen) fields[name] = known;
      } else if (typeof member === "object" && member !== null) {
        this.share(member);
      }
    }
  }

  /** The string that was seen before; `undefined` for a new one, which is remembered. */
  #knownOf(text: string): string | undefined {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#limit) this.#known.clear();
    this.#known.set(text, text);
    return undefined;
  }
}
