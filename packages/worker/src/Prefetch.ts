/**
 * How many tasks a worker wants beside those it can run. Work in advance hides the way to the API server and back, which is
 * all that quick tasks wait for; slow ones would only wait here while another worker is free. So it follows how long handlers
 * take: as many tasks as the slots finish in `HORIZON`, none where one takes longer, never more than `limit`.
 */

/** Milliseconds. Many round trips with a commit each, and less than anybody notices. */
const HORIZON = 50
/** Weight of the newest attempt; the last dozen or two decide. */
const WEIGHT = 1 / 16

export class Prefetch {
  readonly #slots: number
  readonly #limit: number
  #mean = Number.POSITIVE_INFINITY

  constructor(slots: number, limit: number) {
    this.#slots = slots
    this.#limit = limit
  }

  /** An attempt took that many milliseconds in its slot. */
  ended(milliseconds: number): void {
    this.#mean = Number.isFinite(this.#mean) ? this.#mean + (milliseconds - this.#mean) * WEIGHT : milliseconds
  }

  /** A task waited for a slot much longer than `HORIZON`: what is known of durations no longer holds. */
  stalled(): void {
    this.#mean = Number.POSITIVE_INFINITY
  }

  /** Tasks that may be here at once, started or not. It moves in steps of two, so that it is not said anew with every task. */
  get window(): number {
    const finished = this.#slots * HORIZON / Math.max(this.#mean, SHORTEST)
    return this.#slots + Math.min(this.#limit, finished < 1 ? 0 : 2 ** Math.floor(Math.log2(finished)))
  }
}

/** Milliseconds; the clock tells nothing shorter apart from nothing. */
const SHORTEST = 0.05
