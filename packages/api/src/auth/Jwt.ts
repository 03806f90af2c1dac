/**
 * Signed tokens (seed 004): HS256, claims sub, type, iat, nbf, exp, and the session (`family`) they belong to; a refresh
 * token has a `jti` besides. Verification pins the algorithm and the type.
 */
import { FamilyId, UserId } from "@englog/domain/Ids"
import { Clock, Context, DateTime, Duration, Effect, Layer, Redacted, Schema } from "effect"
import { jwtVerify, SignJWT } from "jose"
import { randomBytes } from "node:crypto"

export const accessTokenLife = Duration.minutes(15)
export const refreshTokenLife = Duration.days(30)

/** Clocks of replicas differ a little: a token of one must not be "not yet valid" at the next. */
const clockTolerance = 2

/** The token is not ours, was changed, has expired, or is of the other type; `unknown` is an API token that there is not. */
export class InvalidToken extends Schema.TaggedError<InvalidToken>()("InvalidToken", {
  reason: Schema.Literals(["malformed", "signature", "expired", "type", "unknown"]),
  message: Schema.String
}) {}

/** `JWT_SECRET_KEY` cannot be used; the message names the variable. */
export class WeakSecret extends Schema.TaggedError<WeakSecret>()("WeakSecret", { message: Schema.String }) {}

export interface AccessClaims {
  readonly user: UserId
  readonly family: FamilyId
}

export interface RefreshClaims extends AccessClaims {
  readonly jti: string
}

export class Jwt extends Context.Service<Jwt, {
  readonly signAccess: (claims: AccessClaims) => Effect.Effect<string>
  readonly signRefresh: (claims: RefreshClaims) => Effect.Effect<string>
  readonly verifyAccess: (token: Redacted.Redacted<string>) => Effect.Effect<AccessClaims, InvalidToken>
  readonly verifyRefresh: (token: Redacted.Redacted<string>) => Effect.Effect<RefreshClaims, InvalidToken>
}>()("@englog/api/auth/Jwt") {
  /** `secret`: at least 32 characters, because HS256 is no stronger than its key (RFC 7518, section 3.2). */
  static readonly layer = (secret: Redacted.Redacted<string>): Layer.Layer<Jwt, WeakSecret> =>
    Layer.effect(
      Jwt,
      Effect.suspend(() => {
        const key = new TextEncoder().encode(Redacted.value(secret))
        return key.length < 32
          ? Effect.fail(new WeakSecret({ message: `JWT_SECRET_KEY has ${key.length} characters; it needs at least 32` }))
          : Effect.succeed(makeJwt(key))
      })
    )
}

/** 128 random bits in hexadecimal (seed 004, `generateJTI`). */
export const makeJti: Effect.Effect<string> = Effect.sync(() => randomBytes(16).toString("hex"))

const accessClaims = { sub: UserId, type: Schema.Literal("access"), family: FamilyId }
const decodeAccess = Schema.decodeUnknownEffect(Schema.Struct(accessClaims))
const decodeRefresh = Schema.decodeUnknownEffect(
  Schema.Struct({ ...accessClaims, type: Schema.Literal("refresh"), jti: Schema.NonEmptyString })
)

const makeJwt = (key: Uint8Array): Jwt["Service"] => {
  const sign = Effect.fnUntraced(function*(claims: Readonly<Record<string, string>>, life: Duration.Duration) {
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    return yield* Effect.promise(() =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + Duration.toSeconds(life))
        .sign(key)
    )
  })
  const verified = Effect.fnUntraced(function*(token: Redacted.Redacted<string>) {
    const currentDate = DateTime.toDateUtc(yield* DateTime.now)
    const { payload } = yield* Effect.tryPromise({
      try: () =>
        jwtVerify(Redacted.value(token), key, {
          algorithms: ["HS256"],
          requiredClaims: ["sub", "type", "iat", "nbf", "exp"],
          clockTolerance,
          currentDate
        }),
      catch: invalid
    })
    return payload
  })
  const wrongType = (expected: "access" | "refresh") => () =>
    new InvalidToken({ reason: "type", message: `this is not ${expected === "access" ? "an access" : "a refresh"} token` })
  return {
    signAccess: ({ user, family }) => sign({ sub: user, type: "access", family }, accessTokenLife),
    signRefresh: ({ user, family, jti }) => sign({ sub: user, type: "refresh", family, jti }, refreshTokenLife),
    verifyAccess: Effect.fnUntraced(function*(token: Redacted.Redacted<string>) {
      const claims = yield* Effect.mapError(Effect.flatMap(verified(token), (payload) => decodeAccess(payload)), keepInvalid(wrongType("access")))
      return { user: claims.sub, family: claims.family }
    }),
    verifyRefresh: Effect.fnUntraced(function*(token: Redacted.Redacted<string>) {
      const claims = yield* Effect.mapError(Effect.flatMap(verified(token), (payload) => decodeRefresh(payload)), keepInvalid(wrongType("refresh")))
      return { user: claims.sub, family: claims.family, jti: claims.jti }
    })
  }
}

const keepInvalid = (otherwise: () => InvalidToken) => (error: InvalidToken | Schema.SchemaError): InvalidToken =>
  error instanceof InvalidToken ? error : otherwise()

const invalid = (cause: unknown): InvalidToken => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  switch (code) {
    case "ERR_JWT_EXPIRED":
      return new InvalidToken({ reason: "expired", message: "the token has expired" })
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return new InvalidToken({ reason: "signature", message: "the token was not signed by this server" })
    default:
      return new InvalidToken({ reason: "malformed", message: "the token is not valid" })
  }
}
