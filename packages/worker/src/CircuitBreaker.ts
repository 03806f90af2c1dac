/**
 * Stops calling something that keeps failing (seeds 000 and 001: 5 failures open it, after 30 s it tries again, 3 successes
 * close it). Effect's own breaker closes after one success, so this one is ours.
 *
 * Closed: calls run; so many failures in a row open it. Open: calls fail with CircuitOpen at once. Half-open: one call at a
 * time runs; a failure opens it again, enough successes in a row close it. An interrupted call counts for nothing.
 */
import { Clock, Duration, Effect, Exit, Ref, Schema } from "effect"

export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  breaker: Schema.String,
  /** Milliseconds until it tries again; 0 while a trial call is running. */
  retry_after: Schema.Int,
  message: Schema.String
}) {}

export type CircuitState = "closed" | "open" | "half-open"

export interface CircuitBreakerOptions {
  readonly name: string
  readonly failures: number
  readonly successes: number
  readonly openFor: Duration.Input
}

export interface CircuitBreaker {
  readonly state: Effect.Effect<CircuitState>
  /** `counts` tells which errors say that the other side is unwell; the others change nothing. Default: all. */
  readonly run: <A, E, R>(
    call: Effect.Effect<A, E, R>,
    counts?: (error: E) => boolean
  ) => Effect.Effect<A, E | CircuitOpen, R>
}

/** The values of seeds 000 and 001. */
export const seedPolicy = { failures: 5, successes: 3, openFor: Duration.seconds(30) } as const

type Circuit =
  | { readonly _tag: "Closed"; readonly failures: number }
  | { readonly _tag: "Open"; readonly until: number }
  | { readonly _tag: "HalfOpen"; readonly successes: number; readonly trying: boolean }

type Outcome = "success" | "failure" | "ignored"

export const make = Effect.fnUntraced(function*(options: CircuitBreakerOptions) {
  const circuit = yield* Ref.make<Circuit>({ _tag: "Closed", failures: 0 })
  const openMillis = Duration.toMillis(options.openFor)
  const rejected = (retryAfter: number) =>
    new CircuitOpen({
      breaker: options.name,
      retry_after: Math.ceil(retryAfter),
      message: `circuit breaker "${options.name}" is open after repeated failures`
    })

  const admit = (now: number) =>
    Ref.modify(circuit, (current): readonly [CircuitOpen | undefined, Circuit] => {
      if (current._tag === "Closed") return [undefined, current]
      if (current._tag === "Open" && now < current.until) return [rejected(current.until - now), current]
      if (current._tag === "HalfOpen" && current.trying) return [rejected(0), current]
      const successes = current._tag === "HalfOpen" ? current.successes : 0
      return [undefined, { _tag: "HalfOpen", successes, trying: true }]
    })

  const record = (outcome: Outcome, now: number) =>
    Ref.update(circuit, (current) => next(current, outcome, now + openMillis, options))

  const outcomeOf = <A, E>(exit: Exit.Exit<A, E>, counts: (error: E) => boolean): Outcome => {
    if (Exit.isSuccess(exit)) return "success"
    if (Exit.hasInterrupts(exit)) return "ignored"
    const error = Exit.findErrorOption(exit)
    return error._tag === "Some" && !counts(error.value) ? "ignored" : "failure"
  }

  const breaker: CircuitBreaker = {
    state: Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) => Effect.map(Ref.get(circuit), (current) => stateOf(current, now)))
    ),
    run: (call, counts = () => true) =>
      Effect.uninterruptibleMask((restore) =>
        Clock.currentTimeMillis.pipe(
          Effect.flatMap(admit),
          Effect.flatMap((rejection) => rejection === undefined ? Effect.void : Effect.fail(rejection)),
          Effect.andThen(restore(call).pipe(
            Effect.onExit((exit) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) => record(outcomeOf(exit, counts), now))
            )
          ))
        )
      )
  }
  return breaker
})

const stateOf = (circuit: Circuit, now: number): CircuitState =>
  circuit._tag === "Closed" ? "closed" : circuit._tag === "Open" && now < circuit.until ? "open" : "half-open"

const next = (circuit: Circuit, outcome: Outcome, openUntil: number, options: CircuitBreakerOptions): Circuit => {
  switch (circuit._tag) {
    case "Closed": {
      if (outcome === "ignored") return circuit
      const failures = outcome === "failure" ? circuit.failures + 1 : 0
      return failures >= options.failures ? { _tag: "Open", until: openUntil } : { _tag: "Closed", failures }
    }
    case "HalfOpen": {
      if (outcome === "failure") return { _tag: "Open", until: openUntil }
      const successes = circuit.successes + (outcome === "success" ? 1 : 0)
      return successes >= options.successes
        ? { _tag: "Closed", failures: 0 }
        : { _tag: "HalfOpen", successes, trying: false }
    }
    // A call admitted before the circuit opened ends late: it changes nothing.
    case "Open":
      return circuit
  }
}
