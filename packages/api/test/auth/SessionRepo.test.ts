import { assert, layer } from "@effect/vitest"
import { FamilyId, OrganizationId, UserId } from "@englog/domain/Ids"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"

import { SessionRepo } from "../../src/auth/SessionRepo.ts"
import { UserRepo } from "../../src/auth/UserRepo.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { encryptionKeys } from "../support/QueueEngine.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const Repos = Layer.mergeAll(SessionRepo.layer, UserRepo.layer).pipe(
  Layer.provide(FieldCipher.layer(encryptionKeys)),
  Layer.provideMerge(TestDatabase.layer)
)

const session = Effect.gen(function*() {
  const user = UserId.make(randomUUID())
  const family = FamilyId.make(randomUUID())
  yield* (yield* UserRepo).create({
    id: user,
    organization_id: OrganizationId.make(randomUUID()),
    email: `${user}@example.com`,
    password_hash: "x",
    first_name: "A",
    last_name: "B",
    timezone: "UTC"
  })
  yield* (yield* SessionRepo).open(family, user, { address: null, user_agent: null })
  return { user, family }
})

layer(Repos, { excludeTestServices: true, timeout: "60 seconds" })("sessions", (it) => {
  it.effect("rotate each token once and end with the second use", () => Effect.gen(function*() {
    const sessions = yield* SessionRepo
    const { family } = yield* session
    assert.strictEqual(yield* sessions.rotate(family, "first"), "rotated")
    assert.strictEqual(yield* sessions.rotate(family, "second"), "rotated")
    assert.strictEqual(yield* sessions.rotate(family, "first"), "reused")
    assert.strictEqual(yield* sessions.rotate(family, "third"), "revoked")
  }))

  it.effect("that nobody opened cannot be used", () => Effect.gen(function*() {
    const sessions = yield* SessionRepo
    assert.strictEqual(yield* sessions.rotate(FamilyId.make(randomUUID()), "x"), "revoked")
    assert.isFalse(yield* sessions.close(FamilyId.make(randomUUID()), "x"))
  }))

  it.effect("end with a used token, too, but not as a logout", () => Effect.gen(function*() {
    const sessions = yield* SessionRepo
    const { family, user } = yield* session
    yield* sessions.rotate(family, "used")
    assert.isFalse(yield* sessions.close(family, "used"))
    assert.isTrue((yield* (yield* UserRepo).findCaller(user, family))._tag === "None")
  }))

  it.effect("are removed once their last token has expired, and not before", () => Effect.gen(function*() {
    const sessions = yield* SessionRepo
    const sql = yield* SqlClient.SqlClient
    const [old, current] = [yield* session, yield* session]
    yield* sessions.rotate(old.family, "of the old one")
    yield* sql`UPDATE refresh_token_families SET expires_at = now() - interval '2 hours' WHERE id = ${old.family}`
    assert.strictEqual(yield* sessions.removeExpired, 1)
    const left = yield* sql`SELECT id FROM refresh_token_families WHERE id IN (${old.family}, ${current.family})`
    assert.deepStrictEqual(left.map((row) => row["id"]), [current.family])
    assert.lengthOf(yield* sql`SELECT jti FROM refresh_token_denylist WHERE jti = 'of the old one'`, 0)
    assert.strictEqual(yield* sessions.removeExpired, 0)
  }))
})
