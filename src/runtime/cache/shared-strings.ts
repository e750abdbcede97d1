// Lets equal strings of a list be one string. A thousand objects of a kind say the same in a thousand copies: labels,
// owners, images, arguments; that was a fifth of what the caches held.
//
// Caveats
// - One instance is for one list: it keeps every string that it has seen.

export class SharedStrings {
  readonly #known = new Map<string, string>();

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
      if (known === undefined) this.#known.set(member, member);
      // What is frozen is shared already.
      else if (!Object.isFrozen(fields)) fields[name] = known;
    }
  }
}
