import { assert, describe, it } from "@effect/vitest"
import { FamilyId, UserId } from "@englog/domain/Ids"
import { Duration, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { decodeJwt, SignJWT } from "jose"
import { Jwt, makeJti } from "../../src/auth/Jwt.ts"

const secret = "a secret of the test suite that is long enough"
const claims = {
  user: UserId.make("d8c8aa81-59cb-45ab-8eb3-6042c84498fd"),
  family: FamilyId.make("0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10")
}

/** Each with its own clock, at 1970-01-01. */
const withJwt = <A, E>(test: Effect.Effect<A, E, Jwt>) => Effect.provide(test, Jwt.layer(Redacted.make(secret)))

describe("tokens", () => {
  it.effect("carry the claims of seed 004", () => withJwt(Effect.gen(function*() {
    const jwt = yield* Jwt
    const access = decodeJwt(yield* jwt.signAccess(claims))
    assert.deepStrictEqual(access, { sub: claims.user, type: "access", family: claims.family, iat: 0, nbf: 0, exp: 900 })
    const jti = yield* makeJti
    assert.match(jti, /^[0-9a-f]{32}$/)
    const refresh = decodeJwt(yield* jwt.signRefresh({ ...claims, jti }))
    assert.deepStrictEqual(refresh, {
      sub: claims.user, type: "refresh", family: claims.family, jti, iat: 0, nbf: 0, exp: 30 * 24 * 60 * 60
    })
  })))

  it.effect("work for fifteen minutes", () => withJwt(Effect.gen(function*() {
    const jwt = yield* Jwt
    const token = Redacted.make(yield* jwt.signAccess(claims))
    yield* TestClock.adjust(Duration.seconds(899))
    assert.deepStrictEqual(yield* jwt.verifyAccess(token), claims)
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual((yield* Effect.flip(jwt.verifyAccess(token))).reason, "expired")
  })))

  it.effect("refresh for thirty days", () => withJwt(Effect.gen(function*() {
    const jwt = yield* Jwt
    const token = Redacted.make(yield* jwt.signRefresh({ ...claims, jti: "x" }))
    yield* TestClock.adjust(Duration.hours(30 * 24 - 1))
    assert.strictEqual((yield* jwt.verifyRefresh(token)).jti, "x")
    yield* TestClock.adjust("2 hours")
    assert.strictEqual((yield* Effect.flip(jwt.verifyRefresh(token))).reason, "expired")
  })))

  it.effect("are refused when signed by another key or algorithm, though the claims be right", () => withJwt(Effect.gen(function*() {
    const jwt = yield* Jwt
    const sign = (alg: string, key: string) =>
      Effect.promise(() =>
        new SignJWT({ sub: claims.user, type: "access", family: claims.family })
          .setProtectedHeader({ alg }).setIssuedAt(0).setNotBefore(0).setExpirationTime(900).sign(new TextEncoder().encode(key)))
    const foreign = Redacted.make(yield* sign("HS256", secret.replace("a", "b")))
    assert.strictEqual((yield* Effect.flip(jwt.verifyAccess(foreign))).reason, "signature")
    const otherAlgorithm = Redacted.make(yield* sign("HS512", secret.repeat(2)))
    assert.strictEqual((yield* Effect.flip(jwt.verifyAccess(otherAlgorithm))).reason, "malformed")
    const ours = Redacted.make(yield* sign("HS256", secret))
    assert.deepStrictEqual(yield* jwt.verifyAccess(ours), claims)
  })))

  it.effect("need a key that is as strong as the algorithm", () => withJwt(Effect.gen(function*() {
    const error = yield* Effect.flip(Effect.provide(Jwt, Jwt.layer(Redacted.make("short"))))
    assert.strictEqual(error.message, "JWT_SECRET_KEY has 5 characters; it needs at least 32")
  })))
})
