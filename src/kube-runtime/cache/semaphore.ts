// Lets a few at a time do what costs memory while it lasts: a page of a list is half a megabyte of text and more of
// objects until it is trimmed, and at start every kind is listed.

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param atOnce how many tasks may run at the same time */
  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Runs `task` when its turn comes, in order of asking; the next one follows when it has settled. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
