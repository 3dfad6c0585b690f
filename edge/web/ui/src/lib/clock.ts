// The browser's clock and the box's clock differ; a latency between the two needs their offset.

/** Milliseconds since 1970 on this browser's clock; steady, and finer than Date.now(). */
export function localNow(): number {
  return performance.timeOrigin + performance.now();
}

interface Exchange {
  offset: number;
  roundTrip: number;
}

const KEPT = 8;

/**
 * Offset of the box's clock from ours by Cristian's method (Distributed Computing 3, 1989): the answer was
 * written half a round trip ago, wrong by at most half that trip, so the quickest of the last few counts.
 */
export class ClockOffset {
  #exchanges: Exchange[] = [];

  /** One ping that left at `sent` and was answered at `received` (ours), by the box at `server` (its own). */
  add(sent: number, server: number, received: number): void {
    this.#exchanges.push({ offset: server - (sent + received) / 2, roundTrip: received - sent });
    if (this.#exchanges.length > KEPT) this.#exchanges.shift();
  }

  get #best(): Exchange | null {
    return this.#exchanges.reduce<Exchange | null>(
      (best, next) => (best && best.roundTrip <= next.roundTrip ? best : next),
      null,
    );
  }

  /** `local` milliseconds on the box's clock; null before the first answer. */
  toServer(local: number): number | null {
    const best = this.#best;
    return best && local + best.offset;
  }

  /** Largest error of `toServer` in milliseconds. */
  get uncertainty(): number | null {
    const best = this.#best;
    return best && best.roundTrip / 2;
  }
}

/** Middle of `values`; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
