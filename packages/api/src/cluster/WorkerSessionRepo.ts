/**
 * Worker sessions and API replicas in PostgreSQL: they outlive any API process, so that workers can come back to any other.
 */
import { SessionId, WorkerId } from "@englog/domain/Ids"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export class WorkerSessionRow extends Schema.Class<WorkerSessionRow>("WorkerSessionRow")({
  id: SessionId,
  worker_id: WorkerId,
  worker_name: Schema.String,
  version: Schema.String,
  protocol: Schema.Literals([1, 2]),
  kinds: Schema.Array(Schema.String),
  queues: Schema.Array(Schema.String),
  max_concurrent_tasks: Schema.Int,
  address: Schema.String,
  lineage: Schema.Array(SessionId),
  replica_id: Schema.NullOr(Schema.String),
  status: Schema.Literals(["idle", "busy", "draining", "unhealthy"]),
  stats: Schema.NullOr(Schema.Struct({
    active_tasks: Schema.Int,
    completed_tasks: Schema.Int,
    failed_tasks: Schema.Int,
    cpu_usage: Schema.Finite,
    memory_usage: Schema.Finite,
    started_at: Schema.NullOr(Schema.String)
  })),
  registered_at: Schema.DateTimeUtcFromDate,
  last_heartbeat_at: Schema.DateTimeUtcFromDate,
  /** An operator paused its worker. */
  paused: Schema.Boolean,
  ended: Schema.Boolean,
  lease_valid: Schema.Boolean
}) {}

export interface NewSession {
  readonly id: SessionId
  readonly worker_id: WorkerId
  readonly worker_name: string
  readonly version: string
  readonly token_hash: Uint8Array
  readonly protocol: 1 | 2
  readonly kinds: ReadonlyArray<string>
  readonly queues: ReadonlyArray<string>
  readonly max_concurrent_tasks: number
  readonly address: string
  readonly lineage: ReadonlyArray<SessionId>
  readonly lease: Duration.Duration
}

export interface EndedSession {
  readonly id: SessionId
  readonly worker_id: WorkerId
  readonly end_reason: string
}

export class WorkerSessionRepo extends Context.Service<WorkerSessionRepo, {
  /** One registration at a time, cluster-wide, so that `max_workers` and takeovers are decided one after the other. */
  readonly exclusively: <A, E>(register: Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError>
  readonly insert: (session: NewSession) => Effect.Effect<void, SqlError>
  /** A resumed session keeps its id and its tasks; everything else is as newly announced. */
  readonly replace: (id: SessionId, session: NewSession) => Effect.Effect<void, SqlError>
  readonly findLive: (worker_id: WorkerId) => Effect.Effect<Option.Option<WorkerSessionRow>, SqlError>
  readonly findByToken: (worker_id: WorkerId, token_hash: Uint8Array) => Effect.Effect<Option.Option<WorkerSessionRow>, SqlError>
  /** As above, or by the token before the present one while the session has no stream. */
  readonly findToResume: (worker_id: WorkerId, token_hash: Uint8Array) => Effect.Effect<Option.Option<WorkerSessionRow>, SqlError>
  readonly live: Effect.Effect<ReadonlyArray<WorkerSessionRow>, SqlError>
  readonly attach: (id: SessionId, replica_id: string) => Effect.Effect<boolean, SqlError>
  readonly detach: (id: SessionId, replica_id: string) => Effect.Effect<void, SqlError>
  /** Records a heartbeat; `lease`: renewed for this long, where the heartbeat renews it at all. */
  readonly beat: (id: SessionId, status: string, stats: unknown, lease: Option.Option<Duration.Duration>) => Effect.Effect<void, SqlError>
  readonly end: (id: SessionId, reason: string) => Effect.Effect<void, SqlError>
  /** Says that this replica lives; sessions of replicas that do not are detached, their grace starting now. */
  readonly tick: (
    replica_id: string,
    /** Sessions whose streams this replica has, whatever another may have concluded while the database was away. */
    streaming: ReadonlyArray<SessionId>,
    timeout: Duration.Duration,
    lease: Duration.Duration
  ) => Effect.Effect<void, SqlError>
  readonly forgetReplica: (replica_id: string) => Effect.Effect<void, SqlError>
  /** Ends sessions whose grace or heartbeat timeout is over. */
  readonly endStale: (grace: Duration.Duration, timeout: Duration.Duration) => Effect.Effect<ReadonlyArray<EndedSession>, SqlError>
  /** Ends this one, unless it came back since, or has not been gone for that long. */
  readonly endClosed: (id: SessionId, grace: Duration.Duration) => Effect.Effect<Option.Option<EndedSession>, SqlError>
  /**
   * Runs `then` in a transaction that no renewal of the session's lease overtakes; not at all where it has a valid one (again):
   * whoever found it without one may have been stopped for long since.
   */
  readonly ifWithoutLease: <A, E, R>(id: SessionId, then: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E | SqlError, R>
  /** Of these sessions, those that may not keep tasks: ended or without a valid lease. */
  readonly withoutLease: (ids: ReadonlyArray<SessionId>) => Effect.Effect<ReadonlyArray<SessionId>, SqlError>
}>()("@englog/api/cluster/WorkerSessionRepo") {
  static readonly layer = Layer.effect(
    WorkerSessionRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { keyIds } = yield* FieldCipher
      const columns = sql.literal(COLUMNS)
      const one = (rows: ReadonlyArray<unknown>) =>
        rows[0] === undefined ? Effect.succeedNone : Effect.orDie(decodeRow(rows[0])).pipe(Effect.asSome)
      const millis = (duration: Duration.Duration) => sql`${Duration.toMillis(duration)}::int * interval '1 millisecond'`

      const exclusively: WorkerSessionRepo["Service"]["exclusively"] = (register) =>
        sql.withTransaction(
          sql`SELECT pg_advisory_xact_lock(hashtextextended('englog.register_worker', 0))`.pipe(Effect.andThen(register))
        )

      const insert = Effect.fn("WorkerSessionRepo.insert")(function*(session: NewSession) {
        yield* sql`
          INSERT INTO worker_sessions (id, worker_id, worker_name, version, token_hash, protocol, kinds, queues,
            max_concurrent_tasks, address, lineage, lease_until)
          VALUES (${session.id}::uuid, ${session.worker_id}, ${session.worker_name}, ${session.version},
            ${session.token_hash}::bytea, ${session.protocol}, ${session.kinds}::text[], ${session.queues}::text[],
            ${session.max_concurrent_tasks}, ${session.address}, ${session.lineage}::uuid[], now() + ${millis(session.lease)})`
      })

      const replace = Effect.fn("WorkerSessionRepo.replace")(function*(id: SessionId, session: NewSession) {
        yield* sql`
          UPDATE worker_sessions SET worker_name = ${session.worker_name}, version = ${session.version},
            previous_token_hash = token_hash, token_hash = ${session.token_hash}::bytea, protocol = ${session.protocol}, kinds = ${session.kinds}::text[],
            queues = ${session.queues}::text[], max_concurrent_tasks = ${session.max_concurrent_tasks},
            address = ${session.address}, status = 'idle', replica_id = NULL, disconnected_at = NULL,
            last_heartbeat_at = now(), lease_until = now() + ${millis(session.lease)}
          WHERE id = ${id}::uuid`
      })

      const findLive = Effect.fn("WorkerSessionRepo.findLive")((worker_id: WorkerId) =>
        sql`SELECT ${columns} FROM worker_sessions WHERE worker_id = ${worker_id} AND ended_at IS NULL`.pipe(Effect.flatMap(one)))

      const findByToken = Effect.fn("WorkerSessionRepo.findByToken")((worker_id: WorkerId, token_hash: Uint8Array) =>
        sql`SELECT ${columns} FROM worker_sessions WHERE token_hash = ${token_hash}::bytea AND worker_id = ${worker_id}`.pipe(
          Effect.flatMap(one)
        ))

      const findToResume = Effect.fn("WorkerSessionRepo.findToResume")((worker_id: WorkerId, token_hash: Uint8Array) =>
        sql`SELECT ${columns} FROM worker_sessions
          WHERE worker_id = ${worker_id} AND (token_hash = ${token_hash}::bytea
            OR (previous_token_hash = ${token_hash}::bytea AND ended_at IS NULL AND replica_id IS NULL))`.pipe(Effect.flatMap(one)))

      const live = sql`SELECT ${columns} FROM worker_sessions WHERE ended_at IS NULL ORDER BY registered_at, id`.pipe(
        Effect.flatMap((rows) => Effect.orDie(decodeRows(rows))),
        Effect.withSpan("WorkerSessionRepo.live")
      )

      const attach = Effect.fn("WorkerSessionRepo.attach")(function*(id: SessionId, replica_id: string) {
        const rows = yield* sql`
          UPDATE worker_sessions SET replica_id = ${replica_id}::uuid, disconnected_at = NULL
          WHERE id = ${id}::uuid AND ended_at IS NULL RETURNING id`
        return rows.length > 0
      })

      const detach = Effect.fn("WorkerSessionRepo.detach")(function*(id: SessionId, replica_id: string) {
        yield* sql`
          UPDATE worker_sessions SET replica_id = NULL, disconnected_at = now()
          WHERE id = ${id}::uuid AND replica_id = ${replica_id}::uuid`
      })

      const beat: WorkerSessionRepo["Service"]["beat"] = Effect.fn("WorkerSessionRepo.beat")(function*(id, status, stats, lease) {
        const renewed = Option.match(lease, { onNone: () => sql`lease_until`, onSome: (d) => sql`now() + ${millis(d)}` })
        yield* sql`
          UPDATE worker_sessions SET status = ${status}, stats = coalesce(${stats === null ? null : JSON.stringify(stats)}::jsonb, stats),
            last_heartbeat_at = now(), lease_until = greatest(lease_until, ${renewed})
          WHERE id = ${id}::uuid AND ended_at IS NULL`
      })

      const end = Effect.fn("WorkerSessionRepo.end")(function*(id: SessionId, reason: string) {
        yield* sql`
          UPDATE worker_sessions SET ended_at = now(), end_reason = ${reason}, replica_id = NULL
          WHERE id = ${id}::uuid AND ended_at IS NULL`
      })

      const tick: WorkerSessionRepo["Service"]["tick"] = Effect.fn("WorkerSessionRepo.tick")(function*(replica_id, streaming, timeout, lease) {
        // Nobody could renew while no replica was there (or the database was away): that is not the workers' fault.
        yield* sql`
          UPDATE worker_sessions s SET lease_until = greatest(s.lease_until, now() + ${millis(lease)}),
            last_heartbeat_at = greatest(s.last_heartbeat_at, now() - ${millis(lease)}),
            replica_id = CASE WHEN r.id = ${replica_id}::uuid THEN s.replica_id END,
            disconnected_at = CASE WHEN r.id = ${replica_id}::uuid THEN s.disconnected_at ELSE now() END
          FROM worker_sessions w LEFT JOIN replicas r ON r.id = w.replica_id
          WHERE s.id = w.id AND w.ended_at IS NULL AND w.replica_id IS NOT NULL
            AND (r.id IS NULL OR r.seen_at < now() - ${millis(timeout)})`
        yield* sql`
          UPDATE worker_sessions SET disconnected_at = now(), lease_until = greatest(lease_until, now() + ${millis(lease)}),
            last_heartbeat_at = greatest(last_heartbeat_at, now() - ${millis(lease)})
          WHERE ended_at IS NULL AND disconnected_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM replicas WHERE seen_at >= now() - ${millis(timeout)})`
        yield* sql`
          UPDATE worker_sessions SET replica_id = ${replica_id}::uuid, disconnected_at = NULL
          WHERE id = ANY (${streaming}::uuid[]) AND replica_id IS NULL AND ended_at IS NULL`
        yield* sql`
          INSERT INTO replicas (id, key_ids) VALUES (${replica_id}::uuid, ${keyIds}::text[])
          ON CONFLICT (id) DO UPDATE SET seen_at = now()`
      })

      const forgetReplica = Effect.fn("WorkerSessionRepo.forgetReplica")(function*(replica_id: string) {
        yield* sql`
          UPDATE worker_sessions SET replica_id = NULL, disconnected_at = now() WHERE replica_id = ${replica_id}::uuid`
        yield* sql`DELETE FROM replicas WHERE id = ${replica_id}::uuid`
      })

      const endStale: WorkerSessionRepo["Service"]["endStale"] = Effect.fn("WorkerSessionRepo.endStale")(function*(grace, timeout) {
        const rows = yield* sql`
          UPDATE worker_sessions SET ended_at = now(), replica_id = NULL,
            end_reason = CASE WHEN disconnected_at IS NOT NULL THEN 'disconnected'
              WHEN last_heartbeat_at < now() - ${millis(timeout)} THEN 'no heartbeat' ELSE 'never connected' END
          WHERE ended_at IS NULL
            AND (disconnected_at < now() - ${millis(grace)} OR last_heartbeat_at < now() - ${millis(timeout)}
              -- Registered, and gone before its stream: whoever comes back has no token, and would be refused until then.
              OR protocol = 2 AND replica_id IS NULL AND disconnected_at IS NULL AND lease_until < now())
          RETURNING id, worker_id, end_reason`
        return yield* Effect.orDie(decodeStale(rows))
      })

      const endClosed: WorkerSessionRepo["Service"]["endClosed"] = Effect.fn("WorkerSessionRepo.endClosed")(function*(id, grace) {
        const rows = yield* sql`
          UPDATE worker_sessions SET ended_at = now(), end_reason = 'disconnected'
          WHERE id = ${id}::uuid AND ended_at IS NULL AND replica_id IS NULL AND disconnected_at <= now() - ${millis(grace)}
          RETURNING id, worker_id, end_reason`
        return Option.fromUndefinedOr((yield* Effect.orDie(decodeStale(rows)))[0])
      })

      const withoutLease = Effect.fn("WorkerSessionRepo.withoutLease")(function*(ids: ReadonlyArray<SessionId>) {
        const rows = yield* sql`
          SELECT h.id FROM unnest(${ids}::uuid[]) AS h (id) LEFT JOIN worker_sessions s ON s.id = h.id
          WHERE s.id IS NULL OR s.ended_at IS NOT NULL OR s.lease_until < now()`
        return (yield* Effect.orDie(decodeIds(rows))).map((row) => row.id)
      })

      const ifWithoutLease = <A, E, R>(id: SessionId, then: Effect.Effect<A, E, R>) =>
        sql.withTransaction(Effect.gen(function*() {
          const held = yield* sql`
            SELECT ended_at IS NULL AND lease_until >= now() AS valid FROM worker_sessions WHERE id = ${id}::uuid FOR UPDATE`
          return held[0]?.["valid"] === true ? Option.none<A>() : Option.some(yield* then)
        })).pipe(Effect.withSpan("WorkerSessionRepo.ifWithoutLease"))

      return WorkerSessionRepo.of({
        exclusively, insert, replace, findLive, findByToken, findToResume, live, attach, detach, beat, end, tick, forgetReplica, endStale, endClosed,
        ifWithoutLease, withoutLease
      })
    })
  )
}

const COLUMNS = `id, worker_id, worker_name, version, protocol, kinds, queues, max_concurrent_tasks, address, lineage,
  replica_id, status, stats, registered_at, last_heartbeat_at, ended_at IS NOT NULL AS ended,
  EXISTS (SELECT 1 FROM paused_workers p WHERE p.worker_id = worker_sessions.worker_id) AS paused,
  ended_at IS NULL AND lease_until >= now() AS lease_valid`

const decodeRow = Schema.decodeUnknownEffect(WorkerSessionRow)
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(WorkerSessionRow))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: SessionId })))
const decodeStale = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: SessionId, worker_id: WorkerId, end_reason: Schema.String }))
)
