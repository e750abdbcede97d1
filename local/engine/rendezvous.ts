// Where the ranks of one multi-node replica find each other, as torch.distributed's store does at
// --master-addr:--master-port: none goes on before all are there, and losing one ends the others.

interface Group {
  readonly size: number;
  readonly seats: Map<number, SeatState>;
  loaded: number;
}

interface SeatState {
  readonly formed: PromiseWithResolvers<void>;
  readonly loaded: PromiseWithResolvers<void>;
  readonly lost: PromiseWithResolvers<number>;
  hasLoaded: boolean;
}

export interface Seat {
  /** Every rank has joined. */
  readonly formed: Promise<void>;
  /** Every rank has its weights. */
  readonly loaded: Promise<void>;
  /** A rank that had joined is gone; resolves with its number, and never without a loss. */
  readonly lost: Promise<number>;
  markLoaded(): void;
  /** To be called when the process ends, however it ends. */
  leave(): void;
}

export class Rendezvous {
  readonly #groups = new Map<string, Group>();

  /**
   * @param endpoint the leader's address and port as this rank resolved them
   * @param rank 0-based node rank
   * @param size how many ranks make the group whole
   */
  join(endpoint: string, rank: number, size: number): Seat {
    const group = this.#groups.get(endpoint) ?? { size, seats: new Map<number, SeatState>(), loaded: 0 };
    this.#groups.set(endpoint, group);
    const state: SeatState = {
      formed: Promise.withResolvers(),
      loaded: Promise.withResolvers(),
      lost: Promise.withResolvers(),
      hasLoaded: false,
    };
    group.seats.set(rank, state);
    if (group.seats.size === group.size) for (const seat of group.seats.values()) seat.formed.resolve();
    return {
      formed: state.formed.promise,
      loaded: state.loaded.promise,
      lost: state.lost.promise,
      markLoaded: () => {
        if (state.hasLoaded) return;
        state.hasLoaded = true;
        group.loaded += 1;
        if (group.loaded === group.size) for (const seat of group.seats.values()) seat.loaded.resolve();
      },
      leave: () => this.#leave(endpoint, group, rank, state),
    };
  }

  #leave(endpoint: string, group: Group, rank: number, state: SeatState): void {
    if (group.seats.get(rank) !== state) return;
    const wasWhole = group.seats.size === group.size;
    group.seats.delete(rank);
    if (state.hasLoaded) group.loaded -= 1;
    if (!wasWhole) {
      if (group.seats.size === 0 && this.#groups.get(endpoint) === group) this.#groups.delete(endpoint);
      return;
    }
    // The rank that comes next starts a group of its own: a formed one cannot take a rank back.
    if (this.#groups.get(endpoint) === group) this.#groups.delete(endpoint);
    for (const seat of group.seats.values()) seat.lost.resolve(rank);
    group.seats.clear();
  }
}
