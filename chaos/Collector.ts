/** Gathers the evidence after a run: journals from files, records from the tables, histories as the API tells them. */
import { EncryptedColumn } from "@englog/api/crypto/EncryptedColumns"
import { FieldCipher } from "@englog/api/crypto/FieldCipher"
import { ask } from "@englog/e2e/Person"
import { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { Account, Door } from "./Accounts.ts"
import { journals, type Load } from "./Clients.ts"
import { Cluster, handlerLogOf } from "./Cluster.ts"
import { Acknowledged, Blunder, CancelAnswer, type Evidence, Received, type Step, StoredTask } from "./Evidence.ts"
import { HandlerLine, monotonic } from "./HandlerLog.ts"
import * as Journal from "./Journal.ts"
import * as LeaseAudit from "./LeaseAudit.ts"
import { attemptOf } from "./ResultStamp.ts"

/** The database's clock, in milliseconds since the epoch. */
export const databaseTime = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`
  return (yield* decodeNow(rows))[0].now
})

/** To be added to a monotonic time of this machine to get the database's. */
export const clockOffset = Effect.map(databaseTime, (now) => now - monotonic())

/** Open tasks, and when the last of their deadlines is. */
export const open = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`SELECT count(*)::int AS count, coalesce(extract(epoch FROM max(deadline)), 0)::float8 * 1000 AS deadline FROM task_queue`
  return (yield* decodeOpen(rows))[0]
})

export interface Known {
  readonly load: Load
  readonly accounts: readonly [Account, ...Array<Account>]
  readonly healedAt: number
  readonly clockOffset: number
}

export const collect = Effect.fn("Collector.collect")(function*({ accounts, clockOffset, healedAt, load }: Known) {
  const { apis, folder, workers } = yield* Cluster
  const files = journals(folder)
  const tasks = yield* storedTasks
  const accidents = yield* Effect.forEach([...apis, ...workers], (place) => place.accidents)
  const evidence: Evidence = {
    acknowledged: Journal.read(files.acknowledged, Acknowledged),
    cancels: Journal.read(files.cancels, CancelAnswer),
    blunders: Journal.read(files.blunders, Blunder),
    received: Journal.read(files.received, Received),
    subscriptions: load.subscriptions,
    handlers: workers.flatMap(({ name }) => Journal.read(handlerLogOf(folder, name), HandlerLine)),
    tasks: tasks.map(({ owner: _, ...task }) => task),
    histories: yield* histories(tasks, accounts),
    leases: yield* LeaseAudit.leaseChanges(),
    outcomes: yield* LeaseAudit.outcomeChanges(),
    healedAt,
    clockOffset,
    accidents: accidents.flat()
  }
  return evidence
})

const storedTasks = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* FieldCipher
  const rows = yield* sql`
    SELECT t.task_id AS task, t.user_id::text AS owner, t.kind, t.unique_key, t.outcome, t.attempt, (t.retry->>'max_retries')::int AS max_retries,
      extract(epoch FROM t.deadline)::float8 * 1000 AS deadline, extract(epoch FROM t.completed_at)::float8 * 1000 AS completed_at,
      EXISTS (SELECT 1 FROM task_queue q WHERE q.id = t.id) AS open, t.result,
      (SELECT count(*)::int FROM insights i WHERE i.task_id = t.task_id) AS effects
    FROM tasks t ORDER BY t.id`
  return yield* Effect.forEach(yield* decodeRows(rows), ({ result, ...row }) =>
    Effect.map(
      result === null ? Effect.succeed("") : cipher.decrypt(result, EncryptedColumn.taskResult, row.task),
      (text) => ({ ...row, made_by: attemptOf(text) ?? null })
    ))
})

/** Many at once, spread over the servers. */
const READERS = 12

const histories = Effect.fnUntraced(function*(
  tasks: ReadonlyArray<{ readonly task: string; readonly owner: string; readonly outcome: string | null }>,
  accounts: readonly [Account, ...Array<Account>]
) {
  const owners = new Map(accounts.map((account) => [account.user_id, account]))
  const ended = tasks.filter(({ outcome }) => outcome !== null)
  const read = yield* Effect.forEach(ended, ({ owner, task }, index) => {
    const { doors } = owners.get(owner) ?? accounts[0]
    return Effect.map(historyOf(doors[index % doors.length] ?? doors[0], task), (steps) => [task, steps] as const)
  }, { concurrency: READERS })
  return new Map(read)
})

const decodeStep = Schema.decodeEffect(Schema.fromJsonString(TaskStep))

const historyOf = (door: Door, task: string) =>
  Effect.gen(function*() {
    const { text } = yield* ask("GET", `${door.url}/v1/tasks/${task}/stream`, { token: yield* door.token })
    const lines = [...text.matchAll(/^data: (\{"seq".*\})$/gm)].map((match) => match[1] ?? "")
    const steps = yield* Effect.forEach(lines, (line) => decodeStep(line))
    return steps.map(({ attempt, seq, type }): Step => ({ attempt, seq, type }))
  }).pipe(Effect.timeout("20 seconds"), Effect.retry({ times: 3, schedule: Schedule.spaced("1 second") }), Effect.orElseSucceed((): ReadonlyArray<Step> => []))

const Row = Schema.Struct({
  ...StoredTask.mapFields(({ made_by: _, ...fields }) => fields).fields,
  owner: Schema.String,
  result: Schema.NullOr(Schema.String)
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
const decodeNow = Schema.decodeUnknownEffect(Schema.NonEmptyArray(Schema.Struct({ now: Schema.Finite })))
const decodeOpen = Schema.decodeUnknownEffect(Schema.NonEmptyArray(Schema.Struct({ count: Schema.Int, deadline: Schema.Finite })))
