import { assert, describe, it } from "@effect/vitest"
import { TokenBucket, TokenBuckets } from "@englog/rpc/grpc/TokenBucket"

const takes = (bucket: TokenBucket, now: number, times: number) =>
  Array.from({ length: times }, () => bucket.take(now)).filter((taken) => taken).length

describe("a token bucket", () => {
  it("lets its capacity through at once, and its rate in the long run", () => {
    const bucket = new TokenBucket({ capacity: 10, perSecond: 5 }, 0)
    assert.strictEqual(takes(bucket, 0, 20), 10)
    assert.strictEqual(bucket.wait(0), 200)
    assert.strictEqual(takes(bucket, 200, 20), 1)
    assert.strictEqual(takes(bucket, 1_200, 20), 5)
    assert.strictEqual(takes(bucket, 3_600_000, 100), 10)
  })

  it("keeps what it was given beyond its capacity, up to its ceiling, and gains nothing from a clock that goes back", () => {
    const bucket = new TokenBucket({ capacity: 10, perSecond: 5, ceiling: 25 }, 1_000)
    bucket.give(10, 1_000)
    assert.strictEqual(takes(bucket, 60_000, 15), 15)
    bucket.give(1_000, 60_000)
    assert.strictEqual(takes(bucket, 60_000, 100), 25)
    assert.strictEqual(takes(bucket, 0, 100), 0)
  })

  it("of a key is forgotten when it is the least recently used of too many, so that inventing keys costs no memory", () => {
    const buckets = new TokenBuckets({ capacity: 1, perSecond: 0.001 }, 3)
    for (const key of ["a", "b", "c"]) assert.isTrue(buckets.of(key, 0).take(0))
    assert.isFalse(buckets.of("a", 0).take(0))
    buckets.of("d", 0)
    assert.deepStrictEqual(["a", "c", "b"].map((key) => buckets.of(key, 0).take(0)), [false, false, true])
  })
})
