/**
 * Claims: which ready tasks a session with free slots gets. The most urgent rank first; inside a rank tenants take turns, in
 * proportion to their weights, and each of them its oldest first. One statement per rank finds, locks and marks them.
 *
 * Glossary: a *lane* is one queue and one kind; a *flow* is what one tenant has in a lane at the rank in question.
 */
import type { OrganizationId, SessionId, WorkerId } from "@englog/domain/Ids"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Context, DateTime, Effect, Layer, Ref } from "effect"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { texts } from "./Columns.ts"
import { EngineSql } from "./EngineSql.ts"
import { LeaseBook } from "./LeaseBook.ts"
import { ALL_QUEUES, type QueueSetting, QueueSettings } from "./QueueSettings.ts"
import { TaskText } from "./TaskText.ts"

/** Who asks for work, and how much fits. `lineage`: earlier sessions of the same worker, never handed again what they lost. */
export interface Claimant {
  readonly session_id: SessionId
  readonly worker_id: WorkerId
  readonly kinds: ReadonlyArray<string>
  readonly queues: ReadonlyArray<string>
  readonly lineage: ReadonlyArray<SessionId>
  readonly slots: number
}

export class ClaimRepo extends Context.Service<ClaimRepo, {
  readonly claim: (claimant: Claimant) => Effect.Effect<ReadonlyArray<TaskLease>, SqlError>
  /**
   * Makes ready what waited for its time; answers how many, which limit keys some of them ask for now, and when the next one
   * comes due, in milliseconds from now.
   */
  readonly promoteDue: Effect.Effect<{
    readonly promoted: number
    readonly asking: ReadonlyArray<{ readonly organization_id: OrganizationId; readonly limit_key: string }>
    readonly next: number | null
  }, SqlError>
}>()("@englog/api/queue/ClaimRepo") {
  static readonly layer = Layer.effect(
    ClaimRepo,
    Effect.gen(function*() {
      const sql = yield* EngineSql
      const text = yield* TaskText
      const settings = yield* QueueSettings
      const book = yield* LeaseBook
      /** The tenant that was served last; the others come first now. */
      const cursor = yield* Ref.make<OrganizationId | typeof NOBODY>(NOBODY)

      const opened = (lease: TaskLease): Effect.Effect<TaskLease> =>
        Effect.map(text.open(lease.private_input, EncryptedColumn.taskPrivateInput, lease.task_id), (private_input) => ({ ...lease, private_input }))

      /** From the best rank after `after`. */
      const ofOneRank = (claimant: Claimant, queues: ReadonlyArray<string>, slots: number, after: number, last: string) => {
        const lanes = queues.flatMap((queue) => claimant.kinds.map((kind) => ({ queue, kind })))
        return sql<ClaimedRow | NothingClaimed>`
          WITH RECURSIVE lanes AS (
            SELECT l.queue, l.kind, h.rank
            FROM unnest(${texts(lanes.map(({ queue }) => queue))}, ${texts(lanes.map(({ kind }) => kind))}) AS l (queue, kind),
              LATERAL (
                SELECT q.rank FROM task_queue q WHERE q.queue = l.queue AND q.kind = l.kind AND q.rank > ${after}::int
                  AND q.state = 'queued' AND q.waits_for IS NULL
                ORDER BY q.rank LIMIT 1
              ) h
          ), best AS (SELECT min(rank) AS rank FROM lanes),
          ahead AS (
            SELECT l.queue, l.kind, l.rank, t.organization_id, 1 AS nth FROM lanes l JOIN best USING (rank),
              LATERAL (${nextTenant(sql, "l", sql`${last}::uuid`)}) t
            UNION ALL
            SELECT f.queue, f.kind, f.rank, t.organization_id, f.nth + 1
            FROM ahead f, LATERAL (${nextTenant(sql, "f", sql`f.organization_id`)}) t WHERE f.nth < ${MAX_TENANTS}::int
          ), behind AS (
            SELECT l.queue, l.kind, l.rank, t.organization_id, 1 AS nth FROM lanes l JOIN best USING (rank),
              LATERAL (${nextTenant(sql, "l", sql`${NOBODY}::uuid`)}) t WHERE t.organization_id <= ${last}::uuid
            UNION ALL
            SELECT f.queue, f.kind, f.rank, t.organization_id, f.nth + 1
            FROM behind f, LATERAL (${nextTenant(sql, "f", sql`f.organization_id`)}) t
            WHERE f.nth < ${MAX_TENANTS}::int AND t.organization_id <= ${last}::uuid
          ), flows AS (
            SELECT f.*, coalesce(w.weight, 1) AS weight,
              ceil(${slots}::int * coalesce(w.weight, 1)::float8 / sum(coalesce(w.weight, 1)) OVER ())::int AS share
            FROM (SELECT *, 0 AS lap FROM ahead UNION ALL SELECT *, 1 FROM behind ORDER BY lap, organization_id LIMIT ${MAX_TENANTS}::int) f
              LEFT JOIN task_tenants w USING (organization_id)
          ), ready AS (
            SELECT c.id, f.organization_id, f.lap, f.weight
            FROM flows f, LATERAL (
              SELECT q.id FROM task_queue q
              WHERE q.queue = f.queue AND q.kind = f.kind AND q.rank = f.rank AND q.organization_id = f.organization_id
                AND q.state = 'queued' AND q.waits_for IS NULL AND q.deadline > now()
                AND (q.lost_sessions = '{}' OR NOT q.lost_sessions && ${texts(claimant.lineage)}::text[]::uuid[])
              ORDER BY q.id LIMIT f.share
              FOR UPDATE SKIP LOCKED
            ) c
          ), chosen AS (
            SELECT id, ordinal FROM (
              SELECT id, row_number() OVER (ORDER BY ceil(turn::float8 / weight), lap, organization_id, id) AS ordinal
              FROM (SELECT *, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS turn FROM ready) r
            ) o WHERE ordinal <= ${slots}::int
          ), claimed AS (
            UPDATE task_queue q SET state = 'running', attempt = q.attempt + 1, session_id = ${claimant.session_id}::uuid,
              worker_id = ${claimant.worker_id}, released_session = NULL, started_at = now(), progress = 0, message = NULL,
              attempt_deadline = least(q.deadline, now() + t.attempt_timeout_ms * interval '1 millisecond'),
              event_seq = q.event_seq + 1, started_seq = q.event_seq + 1
            FROM chosen c, tasks t
            WHERE q.id = c.id AND t.id = c.id
            RETURNING c.ordinal, t.task_id, t.kind, t.priority, t.payload::text AS payload, t.private_input, q.attempt,
              q.attempt_deadline AS deadline, t.traceparent, t.organization_id, t.user_id
          )
          SELECT b.rank AS best, (SELECT count(*)::int FROM flows) AS flows, c.*
          FROM best b LEFT JOIN claimed c ON true WHERE b.rank IS NOT NULL ORDER BY c.ordinal`
      }

      const upTo = Effect.fnUntraced(function*(claimant: Claimant, queues: ReadonlyArray<string>, slots: number) {
        const taken: Array<ClaimedRow> = []
        let after = -1
        while (taken.length < slots) {
          const asked = slots - taken.length
          const rows = yield* ofOneRank(claimant, queues, asked, after, yield* Ref.get(cursor))
          const [first] = rows
          if (first === undefined) break
          const claimed = rows.filter(isClaimed)
          const last = claimed.at(-1)
          if (last !== undefined) yield* Ref.set(cursor, last.organization_id)
          taken.push(...claimed)
          // What is left of a rank is locked by another replica, or not for this worker.
          if (claimed.length === 0 || (first.flows === 1 && claimed.length < asked)) after = first.best
        }
        return taken
      })

      /** Limited queues are counted and claimed under the lock of their row: no two replicas overshoot together. */
      const withinLimits = Effect.fnUntraced(function*(claimant: Claimant, queues: ReadonlyArray<string>, limited: ReadonlyArray<QueueSetting>) {
        const limits = yield* sql<{ queue: string; max_running: number }>`
          SELECT queue, max_running FROM queues WHERE queue = ANY (${texts(limited.map(({ queue }) => queue))}) AND max_running IS NOT NULL
          ORDER BY queue FOR UPDATE`
        const running = yield* sql<{ queue: string; n: number }>`
          SELECT queue, count(*)::int AS n FROM task_queue WHERE session_id IS NOT NULL GROUP BY queue`
        const allowance = new Map(limits.map(({ max_running, queue }) => {
          const counted = running.filter((row) => queue === ALL_QUEUES || row.queue === queue)
          return [queue, Math.max(0, max_running - counted.reduce((sum, row) => sum + row.n, 0))] as const
        }))
        let left = Math.min(claimant.slots, allowance.get(ALL_QUEUES) ?? Infinity)
        const taken: Array<ClaimedRow> = []
        const free = queues.filter((queue) => !allowance.has(queue))
        for (const group of [...queues.filter((queue) => allowance.has(queue)).map((queue) => [queue]), free]) {
          const [queue = ""] = group
          const rows = yield* upTo(claimant, group, Math.min(left, allowance.get(queue) ?? Infinity))
          taken.push(...rows)
          left -= rows.length
        }
        return taken
      })

      const claim = Effect.fn("ClaimRepo.claim")(function*(claimant: Claimant) {
        const known = yield* settings.current
        const queues = claimant.queues.filter((queue) => known.get(queue)?.paused !== true)
        if (queues.length === 0 || claimant.slots <= 0) return []
        const limited = [...known.values()].filter(({ max_running, queue }) =>
          max_running !== null && (queue === ALL_QUEUES || queues.includes(queue)))
        const rows = limited.length === 0
          ? yield* upTo(claimant, queues, claimant.slots)
          : yield* sql.withTransaction(withinLimits(claimant, queues, limited))
        for (const { kind, task_id } of rows) book.handedOut(task_id, kind)
        const leases = rows.map(leaseOf)
        return leases.some(isSealed) ? yield* Effect.forEach(leases, (lease) => isSealed(lease) ? opened(lease) : Effect.succeed(lease)) : leases
      })

      const promoteDue = Effect.gen(function*() {
        const promoted = yield* sql<{ organization_id: OrganizationId; limit_key: string | null }>`
          UPDATE task_queue q SET waits_for = CASE WHEN q.limit_key IS NOT NULL AND NOT q.admitted THEN 'limit' END
          FROM (SELECT id FROM task_queue WHERE waits_for = 'time' AND run_at <= now() ORDER BY run_at LIMIT ${PROMOTED_AT_ONCE}::int
            FOR UPDATE SKIP LOCKED) d
          WHERE q.id = d.id
          RETURNING q.organization_id, CASE WHEN q.waits_for = 'limit' THEN q.limit_key END AS limit_key`
        const asking = new Map(promoted.flatMap(({ limit_key, organization_id }) =>
          limit_key === null ? [] : [[`${organization_id} ${limit_key}`, { organization_id, limit_key }]]))
        const [next] = yield* sql<{ millis: number }>`
          SELECT greatest(0, extract(epoch FROM run_at - clock_timestamp()) * 1000)::float8 AS millis
          FROM task_queue WHERE waits_for = 'time' ORDER BY run_at LIMIT 1`
        return { promoted: promoted.length, asking: [...asking.values()], next: next?.millis ?? null }
      })

      return ClaimRepo.of({ claim, promoteDue })
    })
  )
}

interface ClaimedRow extends Omit<TaskLease, "deadline"> {
  readonly best: number
  readonly flows: number
  readonly ordinal: bigint
  readonly deadline: Date
}

interface NothingClaimed {
  readonly best: number
  readonly flows: number
  readonly ordinal: null
}

/** Its private input is as it is stored. */
const leaseOf = (row: ClaimedRow): TaskLease => ({
  task_id: row.task_id,
  kind: row.kind,
  priority: row.priority,
  payload: row.payload,
  private_input: row.private_input,
  attempt: row.attempt,
  deadline: DateTime.makeUnsafe(row.deadline),
  traceparent: row.traceparent,
  organization_id: row.organization_id,
  user_id: row.user_id
})

const isSealed = ({ private_input }: TaskLease): boolean => private_input !== null

const isClaimed = (row: ClaimedRow | NothingClaimed): row is ClaimedRow => row.ordinal !== null

/** Before every id. */
const NOBODY = "00000000-0000-0000-0000-000000000000"

/** Tenants that one claim serves; the next one goes on with those that come after them. */
const MAX_TENANTS = 64

const PROMOTED_AT_ONCE = 1_000

/** One step of a walk along the index from tenant to tenant, however many tasks each of them has. */
const nextTenant = (sql: SqlClient.SqlClient, lane: string, after: ReturnType<SqlClient.SqlClient["literal"]>) => {
  const of = sql.literal(lane)
  return sql`SELECT q.organization_id FROM task_queue q
    WHERE q.queue = ${of}.queue AND q.kind = ${of}.kind AND q.rank = ${of}.rank AND q.organization_id > ${after}
      AND q.state = 'queued' AND q.waits_for IS NULL
    ORDER BY q.organization_id LIMIT 1`
}
