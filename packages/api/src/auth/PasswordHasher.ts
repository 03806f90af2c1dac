/**
 * Password hashes: argon2id with the parameters OWASP recommends (Password Storage Cheat Sheet: 19 MiB, two passes, one
 * lane), computed off the event loop. At most four at a time, so that a flood of logins costs time, not memory.
 */
import { hash, verify } from "@node-rs/argon2"
import { Context, Effect, Layer, Redacted, Schema, Semaphore } from "effect"
import { randomBytes } from "node:crypto"

const owasp = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The hash in the database is not one; the account cannot log in until its password is set again. */
export class PasswordHashError extends Schema.TaggedError<PasswordHashError>()("PasswordHashError", {
  message: Schema.String,
  cause: Schema.Defect()
}) {}

export class PasswordHasher extends Context.Service<PasswordHasher, {
  /** A PHC string. */
  readonly hash: (password: Redacted.Redacted<string>) => Effect.Effect<string>
  readonly verify: (hashed: string, password: Redacted.Redacted<string>) => Effect.Effect<boolean, PasswordHashError>
  /** Takes as long as `verify` and is always false: for accounts that do not exist. */
  readonly verifyNobody: (password: Redacted.Redacted<string>) => Effect.Effect<boolean, PasswordHashError>
}>()("@englog/api/auth/PasswordHasher") {
  static readonly layer: Layer.Layer<PasswordHasher> = Layer.effect(
    PasswordHasher,
    Effect.gen(function*() {
      const slots = yield* Semaphore.make(4)
      const hashed = (password: string) => slots.withPermits(1)(Effect.promise((signal) => hash(password, owasp, signal)))
      const check = Effect.fn("PasswordHasher.verify")((stored: string, password: Redacted.Redacted<string>) =>
        slots.withPermits(1)(Effect.tryPromise({
          try: (signal) => verify(stored, Redacted.value(password), null, signal),
          catch: (cause) => new PasswordHashError({ message: "A stored password hash cannot be read", cause })
        }))
      )
      const nobody = yield* Effect.cached(hashed(randomBytes(32).toString("hex")))
      // Made before it is needed, or the first unknown account would take twice as long.
      yield* Effect.forkScoped(nobody)
      return PasswordHasher.of({
        hash: Effect.fn("PasswordHasher.hash")((password: Redacted.Redacted<string>) => hashed(Redacted.value(password))),
        verify: check,
        verifyNobody: (password) => Effect.flatMap(nobody, (stored) => check(stored, password)).pipe(Effect.as(false))
      })
    })
  )
}
