/**
 * One connection to one API server, from connecting to its end: register, then serve the session's stream and send heartbeats
 * until one of them fails or the server asks to leave. It never ends well: `ConnectionEnd` or an error says what `ApiLink` does next.
 */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import type { FromServer } from "@englog/rpc/grpc/SessionMessages"
import type { TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import type * as Messages from "@englog/rpc/grpc/WorkerMessages"
import { Clock, DateTime, Duration, Effect, Option, Queue, Ref, Schedule, Schema, Stream, SubscriptionRef } from "effect"
import { type ApiSession, open } from "./ApiSession.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import type { CircuitBreaker } from "./CircuitBreaker.ts"
import { Dial } from "./Dial.ts"
import { Outbox } from "./Outbox.ts"
import type { ConnectionState } from "./LinkState.ts"
import { ProcessUsage } from "./ProcessUsage.ts"

/** What the supervisor has to act on. Pings and drains are answered here. */
export type FromApi =
  | Exclude<Messages.ToWorker, { readonly _tag: "Task" | "Ping" | "Drain" }>
  /** None of them is here yet. */
  | { readonly _tag: "Tasks"; readonly tasks: ReadonlyArray<Messages.WorkerTask> }
  | { readonly _tag: "Revoked"; readonly held: ReadonlyArray<Messages.HeldTask> }
  /** The server's clock, which deadlines refer to, was compared with ours. */
  | { readonly _tag: "ClockSet" }

/** The server asked to leave (Drain), or a call learned that this session is over (Renounced). */
export class ConnectionEnd extends Schema.TaggedError<ConnectionEnd>()("ConnectionEnd", {
  reason: Schema.Literals(["Drain", "Renounced"]),
  message: Schema.String
}) {}

export interface ConnectionContext {
  readonly registration: Effect.Effect<Messages.WorkerRegistration>
  readonly registrationBreaker: CircuitBreaker
  readonly tls: TlsFiles
  readonly inbox: Queue.Queue<FromApi>
  /** A token in it makes the next heartbeat leave now. */
  readonly beatNow: Queue.Queue<void>
  /** Milliseconds that the server's clock is ahead of ours. */
  readonly clockSkew: Ref.Ref<number>
  /** The session is being left: the connection stays until its scope closes, and whatever ends meanwhile is as it should be. */
  readonly leaving: Ref.Ref<boolean>
  readonly enter: (connection: ConnectionState) => Effect.Effect<void>
  /** The session in use, as the rest of the worker sees it. */
  readonly registered: (session: ApiSession) => Effect.Effect<void>
  /** Fails once somebody learned that this session is over. */
  readonly renounced: (session: ApiSession) => Effect.Effect<never, ConnectionEnd>
}

/** Seed 001, "Connection Timeout". */
const CONNECT_LIMIT = Duration.seconds(10)
/** Heartbeats that may fail in a row before the connection counts as broken. */
const HEARTBEAT_FAILURES = 3

export const run = Effect.fnUntraced(
  function*(context: ConnectionContext, address: string) {
    const dial = yield* Dial
    const client = yield* dial({
      address,
      tls: context.tls,
      // Called every few seconds, or open for hours: as spans they would only bury the tasks' traces.
      untraced: ["registerWorker", "workerHeartbeat", "session", "leaveSession"],
      observe: ({ code, method, seconds }) => Metrics.rpcCalled.record({ method, code }, seconds)
    })
    yield* client.connect(CONNECT_LIMIT)
    yield* context.enter("Connected")
    yield* context.enter("Registering")
    const session = yield* context.registrationBreaker.run(
      Effect.flatMap(context.registration, (registration) => open(client, registration)),
      saysServerIsUnwell
    )
    yield* context.enter("Registered")
    yield* context.registered(session)
    const acknowledged = yield* Ref.make(0n)
    const refusedForNow = yield* Queue.sliding<void>(1)
    return yield* Effect.raceAllFirst([
      serve(context, session, acknowledged, refusedForNow),
      heartbeats(context, session, acknowledged),
      sayAgain(refusedForNow),
      showProcessing(context),
      context.renounced(session)
    ]).pipe(
      // The channel is still needed for the answer to LeaveSession.
      Effect.catch(Effect.fnUntraced(function*(ending) {
        if (!(yield* Ref.get(context.leaving))) return yield* ending
        yield* Effect.logDebug("the connection ended while leaving").pipe(Effect.annotateLogs({ reason: ending.message }))
        return yield* Effect.never
      }))
    )
  },
  Effect.scoped
)

/** A refusal for a reason of ours (a live namesake, no enrollment token) is an answer, not a sign of an unwell server. */
const saysServerIsUnwell = (error: GrpcError): boolean =>
  !["ALREADY_EXISTS", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "FAILED_PRECONDITION"].includes(error.code)

/** Of one session: the newest ping received, 0 before the first. */
type Acknowledged = Ref.Ref<bigint>

/** What a server could not record it is told again after a moment. */
const sayAgain = Effect.fnUntraced(function*(refusedForNow: Queue.Dequeue<void>) {
  const outbox = yield* Outbox
  return yield* Effect.forever(Queue.take(refusedForNow).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.andThen(Effect.sync(outbox.sayAgain))))
})

const serve = Effect.fnUntraced(function*(
  context: ConnectionContext,
  session: ApiSession,
  acknowledged: Acknowledged,
  refusedForNow: Queue.Queue<void>
) {
  const outbox = yield* Outbox
  const ledger = yield* AttemptLedger
  yield* outbox.begin
  // A pause holds for a stream.
  yield* Queue.offer(context.inbox, { _tag: "ResumeIntake" })
  const up = Stream.fromPull(Effect.succeed(Effect.map(outbox.next, (message) => [message] as const)))
  yield* session.stream({ held_tasks: [...ledger.held.values()], window: outbox.window() }, up).pipe(
    Stream.runForEach((message) => receive(context, outbox, ledger, acknowledged, refusedForNow, message))
  )
  return yield* new GrpcError({ code: "UNAVAILABLE", message: "the server ended the session's stream" })
})

const receive = Effect.fnUntraced(function*(
  context: ConnectionContext,
  outbox: Outbox["Service"],
  ledger: AttemptLedger["Service"],
  acknowledged: Acknowledged,
  refusedForNow: Queue.Queue<void>,
  message: FromServer
) {
  // What came after a pause is not part of it.
  for (const command of message.commands) if (command._tag === "ResumeIntake") yield* Queue.offer(context.inbox, command)
  if (message.tasks.length > 0) {
    const tasks = message.tasks.filter((task) => ledger.begin(task))
    yield* Queue.offer(context.inbox, { _tag: "Tasks", tasks })
    outbox.received(message.delivery)
  }
  if (message.accepted.length + message.refused.length > 0) yield* outbox.answered(message)
  if (message.refused.some(({ refusal }) => refusal === "later")) yield* Queue.offer(refusedForNow, undefined)
  if (message.revoked_tasks.length > 0) yield* Queue.offer(context.inbox, { _tag: "Revoked", held: message.revoked_tasks })
  for (const { attempt, reason, task_id } of message.refused_steps) {
    yield* Effect.logDebug("the API server refused a step of progress").pipe(Effect.annotateLogs({ task_id, attempt, reason }))
  }
  for (const command of message.commands) {
    switch (command._tag) {
      case "Ping":
        yield* Ref.set(acknowledged, command.sequence)
        outbox.answerPing(command.sequence)
        break
      case "ResumeIntake":
        break
      case "Drain":
        return yield* new ConnectionEnd({ reason: "Drain", message: command.reason })
      default:
        yield* Queue.offer(context.inbox, command)
    }
  }
})

/** The first heartbeat leaves at once: it tells a resumed session what is still held here. */
const heartbeats = Effect.fnUntraced(function*(context: ConnectionContext, session: ApiSession, acknowledged: Acknowledged) {
  const pause = Effect.timeoutOption(Queue.take(context.beatNow), session.heartbeatInterval)
  const beat = heartbeat(context, session, acknowledged).pipe(
    Effect.tapError(Effect.fnUntraced(function*(error) {
      const log = (yield* Ref.get(context.leaving)) ? Effect.logDebug : Effect.logWarning
      yield* log("heartbeat failed").pipe(Effect.annotateLogs({ code: error.code, reason: error.message }))
    })),
    Effect.retry({
      schedule: Schedule.spaced("1 second"),
      times: HEARTBEAT_FAILURES - 1,
      while: (error) => error.code !== "UNAUTHENTICATED"
    })
  )
  return yield* Effect.forever(Effect.andThen(beat, pause))
})

const heartbeat = Effect.fnUntraced(function*(context: ConnectionContext, session: ApiSession, acknowledged: Acknowledged) {
  const ledger = yield* AttemptLedger
  const usage = yield* ProcessUsage
  const held = ledger.held
  const counts = ledger.counts()
  const { cpu, memory } = yield* usage.read
  const sentAt = yield* Clock.currentTimeMillis
  const answer = yield* session.heartbeat({
    status: (yield* Ref.get(ledger.draining)) ? "draining" : held.size > 0 ? "busy" : "idle",
    stats: Option.some({
      active_tasks: held.size,
      completed_tasks: counts.completed,
      failed_tasks: counts.failed,
      cpu_usage: cpu,
      memory_usage: memory,
      started_at: Option.some(usage.startedAt)
    }),
    held_tasks: [...held.values()],
    acknowledged_ping: yield* Ref.get(acknowledged)
  })
  const receivedAt = yield* Clock.currentTimeMillis
  yield* Ref.set(context.clockSkew, DateTime.toEpochMillis(answer.server_time) - (sentAt + receivedAt) / 2)
  yield* Queue.offer(context.inbox, { _tag: "ClockSet" })
  if (!answer.connection_healthy) yield* Effect.logWarning("the API server considers this worker unhealthy")
  if (answer.revoked_tasks.length > 0) yield* Queue.offer(context.inbox, { _tag: "Revoked", held: answer.revoked_tasks })
})

/** Streaming while idle, Processing while attempts are held. */
const showProcessing = Effect.fnUntraced(function*(context: ConnectionContext) {
  const ledger = yield* AttemptLedger
  return yield* SubscriptionRef.changes(ledger.busy).pipe(
    Stream.changes,
    Stream.runForEach((busy) => context.enter(busy ? "Processing" : "Streaming")),
    Effect.andThen(Effect.never)
  )
})
