/**
 * The event streams that people have open in this process, however they came: counted, ended before the server stops (it
 * would wait for them), and ended when the token that opened them no longer holds.
 */
import { errorAnswer, type StreamEnd } from "@englog/rpc/http/ErrorAnswer"
import { ErrorCode } from "@englog/rpc/http/ErrorCodes"
import { ServiceUnavailable, type Unauthorized } from "@englog/rpc/http/HttpErrors"
import { Context, Deferred, type Duration, Effect, Layer, Ref, Schedule, Schema, Stream } from "effect"
import { HealthChecks } from "./health/HealthChecks.ts"

/** Not the end of what was watched: whoever wants the rest asks again, `unauthorized` with another token. */
export class StreamCut extends Schema.TaggedError<StreamCut>()("StreamCut", {
  reason: Schema.Literals(["stopping", "unauthorized"]),
  message: Schema.String,
  code: ErrorCode,
  /** Seconds; null where waiting does not help. */
  retry_after: Schema.NullOr(Schema.Int)
}) {}

/** As its reader is told. */
export const streamEnd = ({ code, message, retry_after }: StreamCut): StreamEnd => {
  const { details } = errorAnswer({ error: message, code, ...retry_after === null ? {} : { retry_after } }, code)
  return { message, code, details }
}

/** Whether the caller's token still holds; provided to each request by whoever authenticated it. */
export const StillAuthorized = Context.Reference<Effect.Effect<unknown, Unauthorized | ServiceUnavailable>>(
  "@englog/api/http/StillAuthorized",
  { defaultValue: () => Effect.void }
)

/** How often an open stream's token is looked at. */
export const RecheckInterval = Context.Reference<Duration.Input>("@englog/api/http/RecheckInterval", {
  defaultValue: () => "15 seconds"
})

export class OpenStreams extends Context.Service<OpenStreams, {
  /** The stream for as long as it may be open. Neither a slow reader nor a quiet stream keeps it open longer. */
  readonly keep: <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.Stream<A, E | StreamCut, R>
  /** Ends all of them, and those that are opened from now on. */
  readonly end: Effect.Effect<void>
  /** Answers once `end` was asked for. */
  readonly ending: Effect.Effect<void>
}>()("@englog/api/http/OpenStreams") {
  static readonly layer = Layer.effect(
    OpenStreams,
    Effect.gen(function*() {
      const open = yield* Ref.make(0)
      const ending = yield* Deferred.make<void>()
      const recheck = yield* RecheckInterval
      yield* (yield* HealthChecks).register("streams", {
        essential: false,
        check: Effect.map(Ref.get(open), (count) => ({ status: "up", detail: `${count} event streams are open` }) as const)
      })
      const stopping = Effect.andThen(
        Deferred.await(ending),
        Effect.fail(new StreamCut({
          reason: "stopping",
          message: "the server is stopping; go on after the last event elsewhere",
          code: "stopping",
          retry_after: 1
        }))
      )
      const counted = Effect.acquireRelease(Ref.update(open, (count) => count + 1), () => Ref.update(open, (count) => count - 1))

      return OpenStreams.of({
        keep: (stream) =>
          Stream.unwrap(Effect.gen(function*() {
            const still = yield* StillAuthorized
            yield* counted
            return Stream.interruptWhen(stream, Effect.raceFirst(stopping, untilRefused(still, recheck)))
          })),
        end: Effect.asVoid(Deferred.succeed(ending, undefined)),
        ending: Deferred.await(ending)
      })
    })
  )
}

/** While the database cannot tell, the last answer stands. */
const untilRefused = (still: Effect.Effect<unknown, Unauthorized | ServiceUnavailable>, interval: Duration.Input) =>
  Effect.sleep(interval).pipe(
    Effect.andThen(still),
    Effect.asVoid,
    Effect.catchIf((refusal) => refusal instanceof ServiceUnavailable, () => Effect.void),
    Effect.repeat(Schedule.forever),
    Effect.andThen(Effect.never),
    Effect.mapError((refusal) => new StreamCut({ reason: "unauthorized", message: refusal.error, code: refusal.code, retry_after: null }))
  )
