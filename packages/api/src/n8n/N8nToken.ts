/** Signed tokens for n8n's JWT authentication: short-lived, made anew for each attempt. */
import type { N8nSecret } from "@englog/domain/n8n/N8nConnection"
import { Clock, Data, Effect } from "effect"
import { importPKCS8, SignJWT } from "jose"

type JwtSecret = Extract<N8nSecret, { readonly type: "jwt" }>

class UnusableKey extends Data.TaggedError("UnusableKey")<{ readonly cause: unknown }> {}

/** Longer than a workflow may take, shorter than anybody could make use of it. */
const LIFE_SECONDS = 300

const keyOf = ({ algorithm, key }: JwtSecret): Effect.Effect<Parameters<SignJWT["sign"]>[0], UnusableKey> =>
  algorithm.startsWith("HS")
    ? Effect.succeed(new TextEncoder().encode(key))
    : Effect.tryPromise({ try: () => importPKCS8(key, algorithm), catch: (cause) => new UnusableKey({ cause }) })

export const sign = Effect.fnUntraced(function*(secret: JwtSecret): Effect.fn.Return<string, UnusableKey> {
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
  const key = yield* keyOf(secret)
  return yield* Effect.tryPromise({
    try: () =>
      new SignJWT({}).setProtectedHeader({ alg: secret.algorithm, typ: "JWT" }).setIssuer("englog").setIssuedAt(now)
        .setExpirationTime(now + LIFE_SECONDS).sign(key),
    catch: (cause) => new UnusableKey({ cause })
  })
})

/** Undefined where tokens can be signed with it. */
export const keyProblem = (secret: JwtSecret): Effect.Effect<string | undefined> =>
  sign(secret).pipe(
    Effect.as(undefined),
    Effect.orElseSucceed(() => `is no private key for ${secret.algorithm}: it must be PEM as of PKCS #8, beginning with -----BEGIN PRIVATE KEY-----`)
  )
