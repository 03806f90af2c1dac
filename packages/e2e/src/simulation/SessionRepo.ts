/** Worker sessions and replicas on the simulation's tables: what the SQL of WorkerSessionRepo says. */
import { type NewSession, WorkerSessionRepo, WorkerSessionRow } from "@englog/api/cluster/WorkerSessionRepo"
import type { SessionId } from "@englog/domain/Ids"
import { DateTime, Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Statements } from "./Database.ts"
import type { Session, Tables } from "./Tables.ts"

const rowOf = (row: Session, now: number): WorkerSessionRow =>
  new WorkerSessionRow({
    id: row.id,
    worker_id: row.worker_id,
    worker_name: row.worker_name,
    version: row.version,
    protocol: row.protocol,
    kinds: row.kinds,
    queues: row.queues,
    max_concurrent_tasks: row.max_concurrent_tasks,
    address: row.address,
    lineage: row.lineage,
    replica_id: row.replica_id,
    status: row.status,
    stats: null,
    registered_at: DateTime.makeUnsafe(row.registered_at),
    last_heartbeat_at: DateTime.makeUnsafe(row.last_heartbeat_at),
    paused: false,
    ended: row.ended_at !== null,
    lease_valid: row.ended_at === null && row.lease_until >= now
  }, { disableChecks: true })

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString("hex")

const announced = (session: NewSession, now: number) => ({
  worker_name: session.worker_name,
  version: session.version,
  token_hash: hex(session.token_hash),
  protocol: session.protocol,
  kinds: session.kinds,
  queues: session.queues,
  max_concurrent_tasks: session.max_concurrent_tasks,
  address: session.address,
  status: "idle" as const,
  replica_id: null,
  disconnected_at: null,
  last_heartbeat_at: now,
  lease_until: now + Duration.toMillis(session.lease)
})

const live = (tables: Tables): ReadonlyArray<Session> => [...tables.sessions.values()].filter((row) => row.ended_at === null)

const detached = (now: number) => ({ replica_id: null, disconnected_at: now })

export const layer = Layer.effect(WorkerSessionRepo, Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { run } = yield* Statements
  const first = (matches: (row: Session) => boolean) =>
    run((tables, now) => Option.map(Option.fromUndefinedOr([...tables.sessions.values()].find(matches)), (row) => rowOf(row, now)))

  return WorkerSessionRepo.of({
    exclusively: (register) => sql.withTransaction(register),
    insert: (session) =>
      run((tables, now) =>
        void tables.sessions.set(session.id, {
          ...announced(session, now),
          id: session.id,
          worker_id: session.worker_id,
          previous_token_hash: null,
          lineage: session.lineage,
          registered_at: now,
          ended_at: null
        })),
    replace: (id, session) =>
      run((tables, now) =>
        tables.changeSession(id, { ...announced(session, now), previous_token_hash: tables.sessions.get(id)?.token_hash ?? null })),
    findLive: (worker_id) => first((row) => row.worker_id === worker_id && row.ended_at === null),
    findByToken: (worker_id, token_hash) => first((row) => row.worker_id === worker_id && row.token_hash === hex(token_hash)),
    findToResume: (worker_id, token_hash) =>
      first((row) =>
        row.worker_id === worker_id && (row.token_hash === hex(token_hash)
          || row.previous_token_hash === hex(token_hash) && row.ended_at === null && row.replica_id === null)),
    live: run((tables, now) => live(tables).map((row) => rowOf(row, now))),
    attach: (id, replica_id) =>
      run((tables) => {
        const row = tables.sessions.get(id)
        if (row === undefined || row.ended_at !== null) return false
        tables.changeSession(id, { replica_id, disconnected_at: null })
        return true
      }),
    detach: (id, replica_id) =>
      run((tables, now) => tables.sessions.get(id)?.replica_id === replica_id ? tables.changeSession(id, detached(now)) : undefined),
    beat: (id, status, _stats, lease) =>
      run((tables, now) => {
        const row = tables.sessions.get(id)
        if (row === undefined || row.ended_at !== null) return
        const renewed = Option.match(lease, { onNone: () => row.lease_until, onSome: (d) => now + Duration.toMillis(d) })
        const known = (["idle", "busy", "draining", "unhealthy"] as const).find((one) => one === status)
        tables.changeSession(id, { status: known ?? row.status, last_heartbeat_at: now, lease_until: Math.max(row.lease_until, renewed) })
      }),
    end: (id) =>
      run((tables, now) =>
        tables.sessions.get(id)?.ended_at === null ? tables.changeSession(id, { ended_at: now, replica_id: null }) : undefined),
    tick: (replica_id, streaming, timeout, lease) =>
      run((tables, now) => tick(tables, now, replica_id, streaming, Duration.toMillis(timeout), Duration.toMillis(lease))),
    forgetReplica: (replica_id) =>
      run((tables, now) => {
        for (const row of tables.sessions.values()) if (row.replica_id === replica_id) tables.changeSession(row.id, detached(now))
        tables.replicas.delete(replica_id)
      }),
    endStale: (grace, timeout) =>
      run((tables, now) =>
        live(tables).flatMap((row) => {
          const disconnected = row.disconnected_at !== null && row.disconnected_at < now - Duration.toMillis(grace)
          const silent = row.last_heartbeat_at < now - Duration.toMillis(timeout)
          const neverConnected = row.protocol === 2 && row.replica_id === null && row.disconnected_at === null && row.lease_until < now
          if (!disconnected && !silent && !neverConnected) return []
          tables.changeSession(row.id, { ended_at: now, replica_id: null })
          return [{ id: row.id, worker_id: row.worker_id, end_reason: disconnected ? "disconnected" : silent ? "no heartbeat" : "never connected" }]
        })),
    endClosed: (id, grace) =>
      run((tables, now) => {
        const row = tables.sessions.get(id)
        const over = row !== undefined && row.ended_at === null && row.replica_id === null && row.disconnected_at !== null
          && row.disconnected_at <= now - Duration.toMillis(grace)
        if (!over) return Option.none()
        tables.changeSession(id, { ended_at: now })
        return Option.some({ id, worker_id: row.worker_id, end_reason: "disconnected" })
      }),
    ifWithoutLease: (id, then) =>
      sql.withTransaction(Effect.flatMap(
        run((tables, now) => {
          const row = tables.sessions.get(id)
          return row !== undefined && row.ended_at === null && row.lease_until >= now
        }),
        (valid) => valid ? Effect.succeedNone : Effect.asSome(then)
      )),
    withoutLease: (ids) =>
      run((tables, now) =>
        ids.filter((id) => {
          const row = tables.sessions.get(id)
          return row === undefined || row.ended_at !== null || row.lease_until < now
        }))
  })
}))

/** In the order of the SQL's four statements. */
const tick = (tables: Tables, now: number, replica_id: string, streaming: ReadonlyArray<SessionId>, timeout: number, lease: number): void => {
  const lives = (id: string) => (tables.replicas.get(id) ?? -Infinity) >= now - timeout
  const excused = (row: Session) => ({
    lease_until: Math.max(row.lease_until, now + lease),
    last_heartbeat_at: Math.max(row.last_heartbeat_at, now - lease)
  })
  for (const row of live(tables)) {
    if (row.replica_id === null || lives(row.replica_id)) continue
    const mine = row.replica_id === replica_id && tables.replicas.has(replica_id)
    tables.changeSession(row.id, { ...excused(row), ...(mine ? {} : detached(now)) })
  }
  if (![...tables.replicas.keys()].some(lives)) {
    for (const row of live(tables)) if (row.disconnected_at !== null) tables.changeSession(row.id, { ...excused(row), disconnected_at: now })
  }
  for (const row of live(tables)) {
    if (row.replica_id === null && streaming.includes(row.id)) tables.changeSession(row.id, { replica_id, disconnected_at: null })
  }
  tables.replicas.set(replica_id, now)
}
