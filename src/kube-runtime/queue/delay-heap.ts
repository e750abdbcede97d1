// Keys ordered by when they fall due: a binary heap whose outdated entries are skipped when they surface, so that
// adding, moving and removing a key are all cheap.

interface Entry {
  readonly key: string;
  readonly dueAtMs: number;
}

export class DelayHeap {
  readonly #dueAtMs = new Map<string, number>();
  #heap: Entry[] = [];

  get size(): number {
    return this.#dueAtMs.size;
  }

  /** Adds a key, or moves it where this is earlier. */
  add(key: string, dueAtMs: number): void {
    const known = this.#dueAtMs.get(key);
    if (known !== undefined && known <= dueAtMs) return;
    this.#dueAtMs.set(key, dueAtMs);
    this.#push({ key, dueAtMs });
    if (this.#heap.length > 2 * this.#dueAtMs.size + 64) this.#rebuild();
  }

  remove(key: string): void {
    this.#dueAtMs.delete(key);
  }

  nextDueAtMs(): number | undefined {
    this.#dropOutdated();
    return this.#heap[0]?.dueAtMs;
  }

  /** Removes and returns the keys that are due, earliest first. */
  takeDue(nowMs: number): readonly string[] {
    const due: string[] = [];
    for (this.#dropOutdated(); ; this.#dropOutdated()) {
      const [first] = this.#heap;
      if (first === undefined || first.dueAtMs > nowMs) return due;
      this.#pop();
      this.#dueAtMs.delete(first.key);
      due.push(first.key);
    }
  }

  #dropOutdated(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#dueAtMs.get(first.key) === first.dueAtMs) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    // An ascending array is a heap.
    this.#heap = [...this.#dueAtMs]
      .map(([key, dueAtMs]) => ({ key, dueAtMs }))
      .sort((left, right) => left.dueAtMs - right.dueAtMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.dueAtMs <= entry.dueAtMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = heap[leftIndex];
      if (left === undefined) break;
      const right = heap[leftIndex + 1];
      const childIndex = right !== undefined && right.dueAtMs < left.dueAtMs ? leftIndex + 1 : leftIndex;
      const child = childIndex === leftIndex ? left : right;
      if (child === undefined || child.dueAtMs >= last.dueAtMs) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}
