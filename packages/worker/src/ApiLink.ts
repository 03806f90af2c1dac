/**
 * The worker's link to the API servers: keeps one session alive for as long as the worker lives.
 *
 * It starts at a random address of the list and goes to the next whenever one fails; after each round it waits (1 s … 60 s,
 * × 1.5, jittered: seed 001). After 10 failed tries it reports Disconnected and keeps trying. The session's token is
 * presented at every registration, so that a session survives a broken connection and a restarted server.
 */
import { taskKinds } from "@englog/domain/tasks/TaskKindRegistry"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { channelCredentials, type GrpcTlsError } from "@englog/rpc/grpc/GrpcTls"
import type { SessionToken, WorkerRegistration } from "@englog/rpc/grpc/WorkerMessages"
import { Clock, Context, DateTime, Duration, Effect, Layer, Option, Queue, Random, Ref, Stream, SubscriptionRef } from "effect"
import * as ApiConnection from "./ApiConnection.ts"
import type { ApiSession } from "./ApiSession.ts"
import { AppConfig } from "./AppConfig.ts"
import * as CircuitBreaker from "./CircuitBreaker.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
import { type ConnectionState, initialState, type LinkState } from "./LinkState.ts"
import { WORKER_VERSION } from "./WorkerVersion.ts"

export class ApiLink extends Context.Service<ApiLink, {
  readonly state: SubscriptionRef.SubscriptionRef<LinkState>
  readonly registrationBreaker: CircuitBreaker.CircuitBreaker
  /** Tasks to start, attempts to stop. */
  readonly inbox: Queue.Dequeue<ApiConnection.FromApi>
  /** The session in use, none while there is no connection. */
  readonly session: SubscriptionRef.SubscriptionRef<Option.Option<ApiSession>>
  /** The session in use; waits while there is none. */
  readonly awaitSession: Effect.Effect<ApiSession>
  /** To be called by whoever was answered UNAUTHENTICATED: the link registers anew. */
  readonly renounce: (session: ApiSession) => Effect.Effect<void>
  readonly heartbeatNow: Effect.Effect<void>
  /** Ends the session, if there is one, and the link for good: what the server ends thereupon is no news. */
  readonly leave: (reason: string) => Effect.Effect<void, GrpcError>
  /** The API server's clock, which deadlines refer to. */
  readonly serverTime: Effect.Effect<DateTime.Utc>
}>()("@englog/worker/ApiLink") {
  static readonly layer = Layer.effect(ApiLink, Effect.suspend(() => make))
}

const INITIAL_DELAY = Duration.seconds(1)
const MAX_DELAY = Duration.seconds(60)
const MULTIPLIER = 1.5
/** Tries after which the worker reports Disconnected (seed 001, MaxRetries). */
const MAX_TRIES = 10
/** A connection that held this long was a good one: counting starts over. */
const GOOD_AFTER = Duration.seconds(5)

const make = Effect.gen(function*() {
  const config = yield* AppConfig
  const handlers = yield* TaskHandlers
  // Unreadable certificates stop the start here instead of failing every try.
  yield* channelCredentials(config.tls)
  const state = yield* SubscriptionRef.make(initialState)
  const session = yield* SubscriptionRef.make(Option.none<ApiSession>())
  const renounced = yield* SubscriptionRef.make(Option.none<ApiSession>())
  const token = yield* Ref.make(Option.none<SessionToken>())
  const inbox = yield* Queue.unbounded<ApiConnection.FromApi>()
  const beatNow = yield* Queue.sliding<void>(1)
  const clockSkew = yield* Ref.make(0)
  const leaving = yield* Ref.make(false)
  const registrationBreaker = yield* CircuitBreaker.make({ name: "registration", ...CircuitBreaker.seedPolicy })

  const registration: Effect.Effect<WorkerRegistration> = Effect.map(Ref.get(token), (resume) => ({
    worker_id: config.workerId,
    worker_name: config.workerName,
    version: WORKER_VERSION,
    kinds: [...handlers.keys()],
    announced_kinds: announcements(handlers),
    max_concurrent_tasks: config.maxConcurrent,
    queues: config.queues,
    protocol: 2,
    resume_session_token: resume,
    enrollment_token: config.enrollmentToken,
    metadata: {}
  }))

  const context: ApiConnection.ConnectionContext = {
    registration,
    registrationBreaker,
    tls: config.tls,
    inbox,
    beatNow,
    clockSkew,
    leaving,
    enter: (connection) => enter(state, connection),
    registered: (current) =>
      Ref.set(token, Option.some(current.token)).pipe(Effect.andThen(SubscriptionRef.set(session, Option.some(current)))),
    renounced: (current) =>
      SubscriptionRef.changes(renounced).pipe(
        Stream.filter((over) => Option.isSome(over) && over.value === current),
        Stream.runHead,
        Effect.andThen(
          Effect.fail(new ApiConnection.ConnectionEnd({ reason: "Renounced", message: "the session is over; registering anew" }))
        )
      )
  }

  yield* keepConnected(context, state, session, config.apiAddresses).pipe(
    // A defect here is a bug, but a worker must not live on deaf because of it.
    Effect.catchCause((cause) =>
      Effect.logError("the link to the API failed unexpectedly", cause).pipe(Effect.andThen(Effect.sleep(INITIAL_DELAY)))
    ),
    Effect.forever,
    Effect.annotateLogs({ component: "api_link", worker_id: config.workerId }),
    Effect.forkScoped
  )

  return ApiLink.of({
    state,
    registrationBreaker,
    inbox,
    session,
    awaitSession: awaitSession(session),
    renounce: (current) => SubscriptionRef.set(renounced, Option.some(current)),
    heartbeatNow: Effect.asVoid(Queue.offer(beatNow, undefined)),
    leave: Effect.fnUntraced(function*(reason) {
      yield* Ref.set(leaving, true)
      const current = yield* SubscriptionRef.get(session)
      if (Option.isSome(current)) yield* current.value.leave(reason)
    }),
    serverTime: Effect.zipWith(Clock.currentTimeMillis, Ref.get(clockSkew), (now, skew) => DateTime.makeUnsafe(now + skew))
  })
})

/** Of the kinds that this project does not have. */
const announcements = (handlers: TaskHandlers["Service"]) =>
  [...handlers.values()].flatMap(({ announcement, kind }) =>
    announcement === undefined || taskKinds.some((known) => known.kind === kind) ? [] : [announcement])

const awaitSession = (session: SubscriptionRef.SubscriptionRef<Option.Option<ApiSession>>): Effect.Effect<ApiSession> =>
  SubscriptionRef.changes(session).pipe(
    Stream.flatMap(Option.match({ onNone: () => Stream.empty, onSome: (current) => Stream.succeed(current) })),
    Stream.runHead,
    Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: (current) => Effect.succeed(current) }))
  )

type Ending = GrpcError | GrpcTlsError | ApiConnection.ConnectionEnd | CircuitBreaker.CircuitOpen

/** How to go on after a connection ended. */
type Next = "at-once" | "same-address-at-once" | "back-off"

const keepConnected = Effect.fnUntraced(function*(
  context: ApiConnection.ConnectionContext,
  state: SubscriptionRef.SubscriptionRef<LinkState>,
  session: SubscriptionRef.SubscriptionRef<Option.Option<ApiSession>>,
  addresses: ReadonlyArray<string>
) {
  let index = yield* Random.nextIntBetween(0, addresses.length)
  for (;;) {
    const address = addresses[index % addresses.length] ?? ""
    yield* SubscriptionRef.update(state, (before) => ({ ...before, address: Option.some(address) }))
    yield* context.enter("Connecting")
    const startedAt = yield* Clock.currentTimeMillis
    const ending = yield* Effect.flip(ApiConnection.run(context, address))
    yield* Metrics.workerReconnections.add({})
    const wasRegistered = Option.isSome(yield* SubscriptionRef.getAndSet(session, Option.none()))
    const lived = Duration.millis((yield* Clock.currentTimeMillis) - startedAt)
    const good = wasRegistered && Duration.isGreaterThanOrEqualTo(lived, GOOD_AFTER)
    const next = nextAfter(ending, good, addresses.length > 1 && wasRegistered)
    const failures = next === "back-off" ? (good ? 1 : (yield* SubscriptionRef.get(state)).failures + 1) : 0
    yield* SubscriptionRef.update(state, (before) => ({ ...before, failures, problem: Option.some(ending.message) }))
    yield* logEnding(ending, address, failures)
    yield* context.enter(failures >= MAX_TRIES ? "Disconnected" : "Reconnecting")
    if (next !== "same-address-at-once") index++
    if (next === "back-off") yield* Effect.sleep(yield* delay(failures, addresses.length, ending))
  }
})

/** Only what held for a while goes on at once, or two servers that drain together would be asked in an endless circle. */
const nextAfter = (ending: Ending, good: boolean, elsewhere: boolean): Next => {
  if (ending._tag === "ConnectionEnd" && ending.reason === "Drain") return good && elsewhere ? "at-once" : "back-off"
  const sessionOver = ending._tag === "ConnectionEnd" || (ending._tag === "GrpcError" && ending.code === "UNAUTHENTICATED")
  return sessionOver && good ? "same-address-at-once" : "back-off"
}

/** No wait inside a round over all addresses; after it the seed's back-off, or what the server or the breaker asks where that is longer. */
const delay = Effect.fnUntraced(function*(failures: number, addresses: number, ending: Ending) {
  if (failures % addresses !== 0) return Duration.zero
  const round = Math.max(0, failures / addresses - 1)
  const full = Duration.min(MAX_DELAY, Duration.millis(Duration.toMillis(INITIAL_DELAY) * MULTIPLIER ** Math.min(round, 100)))
  const jittered = Duration.millis(Duration.toMillis(full) * (0.8 + 0.4 * (yield* Random.next)))
  const asked = ending._tag === "CircuitOpen" || ending._tag === "GrpcError" ? ending.retry_after ?? 0 : 0
  return Duration.max(jittered, Duration.millis(asked))
})

const enter = Effect.fnUntraced(function*(state: SubscriptionRef.SubscriptionRef<LinkState>, connection: ConnectionState) {
  const before = yield* SubscriptionRef.get(state)
  // Once Disconnected is reported it stands until a connection is made.
  const hidden = before.failures >= MAX_TRIES && (connection === "Connecting" || connection === "Reconnecting")
  if (hidden || before.connection === connection) return
  yield* SubscriptionRef.set(state, { ...before, connection, ...(connection === "Registered" ? { problem: Option.none() } : {}) })
  const log = quiet.has(connection) ? Effect.logDebug : Effect.logInfo
  yield* log(`connection ${connection}`).pipe(
    Effect.annotateLogs({ operation: "connection_state", address: Option.getOrElse(before.address, () => "") })
  )
})

/** Passed through within a moment, or changing with every task. */
const quiet = new Set<ConnectionState>(["Connecting", "Connected", "Registering", "Processing", "Streaming"])

const logEnding = (ending: Ending, address: string, failures: number) => {
  const details = { operation: "connection_ended", address, failures, ...(ending._tag === "GrpcError" ? { code: ending.code } : {}) }
  return Effect.annotateLogs(
    ending._tag === "ConnectionEnd" ? Effect.logInfo(explain(ending)) : Effect.logWarning(explain(ending)),
    details
  )
}

const explain = (ending: Ending): string => {
  if (ending._tag !== "GrpcError") return ending.message
  switch (ending.code) {
    case "ALREADY_EXISTS":
      return `another live worker has this WORKER_ID; give each worker its own, or wait until the old session ends: ${ending.message}`
    case "UNAUTHENTICATED":
      return `the API server does not accept this worker: ${ending.message}`
    case "FAILED_PRECONDITION":
      return `the API server takes no such worker: ${ending.message}`
    case "RESOURCE_EXHAUSTED":
      return `the API server takes no more of this worker for now: ${ending.message}`
    case "PERMISSION_DENIED":
      return `WORKER_ID and the certificate in TLS_CERT_FILE do not belong together: ${ending.message}`
    default:
      return ending.message
  }
}
