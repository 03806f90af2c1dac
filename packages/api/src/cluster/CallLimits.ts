/**
 * How often workers may call this replica. A session may say a little at any time and more with every task it is given, so
 * that honest work is never limited, however fast; an address may register and guess only so often. Beyond that calls fail
 * before they reach the database.
 */
import type { SessionId } from "@englog/domain/Ids"
import type { GrpcCall } from "@englog/rpc/grpc/GrpcMethods"
import { type Rate, TokenBucket, TokenBuckets } from "@englog/rpc/grpc/TokenBucket"
import { Clock, Context, Effect, Layer, Schema } from "effect"

export class TooManyCalls extends Schema.TaggedError<TooManyCalls>()("TooManyCalls", {
  message: Schema.String,
  /** Milliseconds until the call may be made again. */
  retry_after: Schema.Int
}) {}

type Peer = Pick<GrpcCall, "peer">

export class CallLimits extends Context.Service<CallLimits, {
  /** Takes a call that shows a session's token; `token` is its hash. */
  readonly call: (token: string, method: SessionMethod, by: Peer) => Effect.Effect<void, TooManyCalls>
  /** Takes what one message on a session's stream says: as many calls as it stands for. */
  readonly said: (session: SessionId, calls: number) => Effect.Effect<void, TooManyCalls>
  /** The token was that of a session: its calls count as the session's from now on. */
  readonly proven: (token: string, session: SessionId) => Effect.Effect<void>
  /** The token is nobody's, or nobody's any more. */
  readonly refuted: (token: string) => Effect.Effect<void>
  /** A task was delivered, about which there will be something to say. */
  readonly delivered: (session: SessionId, tasks: number) => Effect.Effect<void>
  readonly registration: (by: Peer) => Effect.Effect<void, TooManyCalls>
  /** Fails where this address has guessed wrongly too often; `wrongEnrollment` counts. */
  readonly enrollment: (by: Peer) => Effect.Effect<void, TooManyCalls>
  readonly wrongEnrollment: (by: Peer) => Effect.Effect<void>
}>()("@englog/api/cluster/CallLimits") {
  static readonly layer: Layer.Layer<CallLimits> = Layer.effect(CallLimits, Effect.suspend(() => make))
}

/** Heartbeats and streams have budgets of their own: a talkative session must not lose its leases, nor reopen its stream all day. */
export type SessionMethod = "heartbeat" | "stream" | "other"

/** What an honest worker of 2,000 results a second stays far below. Not configuration: only tests set other ones. */
export const CallRates = Context.Reference<{
  readonly session: Readonly<Record<SessionMethod, Rate>>
  /** Calls that a delivered task adds to its session's budget: its data, progress, the outcome, some of them twice. */
  readonly perTask: number
  /** Calls of one address with tokens that this replica has not seen yet. */
  readonly unknownToken: Rate
  readonly registration: Rate
  readonly wrongEnrollment: Rate
}>("@englog/api/cluster/CallRates", {
  defaultValue: () => ({
    session: {
      heartbeat: { capacity: 100, perSecond: 20 },
      stream: { capacity: 30, perSecond: 1 },
      other: { capacity: 1_000, perSecond: 200, ceiling: 200_000 }
    },
    perTask: 20,
    unknownToken: { capacity: 500, perSecond: 50 },
    registration: { capacity: 500, perSecond: 20 },
    wrongEnrollment: { capacity: 10, perSecond: 1 / 6 }
  })
})

const make = Effect.gen(function*() {
  const rates = yield* CallRates
  const sessions = {
    heartbeat: new TokenBuckets(rates.session.heartbeat),
    stream: new TokenBuckets(rates.session.stream),
    other: new TokenBuckets(rates.session.other)
  }
  const owners = new Map<string, SessionId>()
  const unknown = new TokenBuckets(rates.unknownToken)
  const registrations = new TokenBuckets(rates.registration)
  const wrong = new TokenBuckets(rates.wrongEnrollment)

  return CallLimits.of({
    call: (token, method, by) => {
      const owner = owners.get(token)
      return owner === undefined
        ? take((now) => unknown.of(addressOf(by), now), "calls with unknown session tokens from this address")
        : take((now) => sessions[method].of(owner, now), `${method === "other" ? "calls" : `${method} calls`} of this session`)
    },
    said: (session, calls) => take((now) => sessions.other.of(session, now), "messages of this session", calls),
    proven: (token, session) =>
      Effect.sync(() => {
        owners.delete(token)
        owners.set(token, session)
        const [oldest] = owners.keys()
        if (owners.size > MAX_OWNERS && oldest !== undefined) owners.delete(oldest)
      }),
    refuted: (token) => Effect.sync(() => void owners.delete(token)),
    delivered: (session, tasks) =>
      Effect.map(Clock.currentTimeMillis, (now) => sessions.other.of(session, now).give(rates.perTask * tasks, now)),
    registration: (by) => take((now) => registrations.of(addressOf(by), now), "registrations from this address"),
    enrollment: (by) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const bucket = wrong.of(addressOf(by), now)
        return bucket.has(now) ? Effect.void : tooMany(bucket, now, "wrong enrollment tokens from this address")
      }),
    wrongEnrollment: (by) => Effect.map(Clock.currentTimeMillis, (now) => void wrong.of(addressOf(by), now).take(now))
  })
})

/** Tokens rotate with every resumption; those of the past are forgotten first. */
const MAX_OWNERS = 10_000

const take = (bucketAt: (now: number) => TokenBucket, what: string, count = 1) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const bucket = bucketAt(now)
    return bucket.take(now, count) ? Effect.void : tooMany(bucket, now, what)
  })

const tooMany = (bucket: TokenBucket, now: number, what: string) => {
  const retry_after = bucket.wait(now)
  return Effect.fail(new TooManyCalls({ message: `too many ${what}; try again in ${retry_after} ms`, retry_after }))
}

/** Without the port. */
export const addressOf = ({ peer }: Peer): string => peer.replace(/:\d+$/, "")
