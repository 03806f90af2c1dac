/**
 * How often something may happen: `capacity` times at once, `perSecond` times in the long run. Buckets by key forget the one
 * that was least recently used when there are too many, so that inventing keys costs no memory.
 */

export interface Rate {
  readonly capacity: number
  readonly perSecond: number
  /** Up to which a bucket may be filled by `give`. Default: its capacity. */
  readonly ceiling?: number
}

export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #filledAt: number

  /** Times are milliseconds of one clock. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.capacity
    this.#filledAt = now
  }

  /** Takes so many tokens; none, and false, where fewer are left. */
  take(now: number, count = 1): boolean {
    this.#fill(now)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  has(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= 1
  }

  /** Adds tokens beside those that come with time. */
  give(tokens: number, now: number): void {
    this.#fill(now)
    this.#tokens = Math.min(this.#rate.ceiling ?? this.#rate.capacity, this.#tokens + tokens)
  }

  /** Milliseconds until there is a token. */
  wait(now: number): number {
    this.#fill(now)
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#rate.perSecond * 1_000)
  }

  #fill(now: number): void {
    const { capacity, perSecond } = this.#rate
    const filled = this.#tokens + Math.max(0, now - this.#filledAt) / 1_000 * perSecond
    this.#tokens = Math.max(this.#tokens, Math.min(capacity, filled))
    this.#filledAt = now
  }
}

export class TokenBuckets {
  readonly #rate: Rate
  readonly #limit: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate, limit = 10_000) {
    this.#rate = rate
    this.#limit = limit
  }

  of(key: string, now: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, now)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > this.#limit && oldest !== undefined) this.#buckets.delete(oldest)
    return bucket
  }
}
