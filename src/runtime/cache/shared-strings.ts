// Lets equal strings of one kind's objects be one string. A thousand objects of a kind say the same in a thousand copies: labels,
// owners, images, arguments; that was a fifth of what the caches held.
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

  /** Replaces strings anywhere in a value that nobody else has yet; the names of members are shared by V8. */
  share(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const fields = value as Record<string, unknown>;
    for (const name in fields) {
      const member = fields[name];
      if (typeof member !== "string") {
        this.share(member);
        continue;
      }
      const known = this.#known.get(member);
      if (known === undefined) this.#learn(member);
      // What is frozen is shared already.
      else if (!Object.isFrozen(fields)) fields[name] = known;
    }
  }

  #learn(text: string): void {
    if (this.#known.size >= this.#limit) this.#known.clear();
    this.#known.set(text, text);
  }
}
