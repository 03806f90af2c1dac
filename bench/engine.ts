/** The engine alone, in this process, on a PostgreSQL: what a submission, a claim and a completion cost before any wire. */
import { OrganizationId, SessionId, UserId, WorkerId } from "@englog/domain/Ids"
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import { FieldCipher } from "@englog/api/crypto/FieldCipher"
import { Database } from "@englog/api/db/Database"
import { Migrations } from "@englog/api/db/Migrations"
import { QueueLimits } from "@englog/api/queue/Backpressure"
import { ClaimRepo } from "@englog/api/queue/ClaimRepo"
import { Engine } from "@englog/api/queue/Engine"
import { EngineSql, engineSettings } from "@englog/api/queue/EngineSql"
import { TaskOutcomes } from "@englog/api/queue/TaskOutcomes"
import { TaskQueue } from "@englog/api/queue/TaskQueue"
import { Console, Effect, Layer, Logger, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"

const url = Redacted.make(process.argv[2] ?? "postgres://root@127.0.0.1:5432/englog_engine")
const keys = Redacted.make(`k1:${Buffer.alloc(32, 7).toString("base64")}`)

const engineDatabase = Layer.provide(EngineSql.layer, Database.layer({ url, maxConnections: 8, settings: engineSettings }))
const layer = Engine.pipe(
  Layer.provide([FieldCipher.layer(keys), engineDatabase, Layer.succeed(QueueLimits, { perQueue: 0, perTenant: 0 })]),
  Layer.provideMerge(Migrations.layer),
  Layer.provideMerge(Database.layer({ url, maxConnections: 10 })),
  Layer.provide(Logger.layer([]))
)

const usage = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ pid: number }>`SELECT pid FROM pg_stat_activity WHERE datname = current_database()`
  const ticks = rows.map(({ pid }) => {
    try {
      const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
      return Number(fields[11]) + Number(fields[12])
    } catch {
      return 0
    }
  })
  const { system, user } = process.cpuUsage()
  return { at: performance.now(), node: user + system, postgres: ticks.reduce((sum, one) => sum + one, 0) * 10_000 }
})
const rate = Effect.fnUntraced(function*<E, R>(name: string, count: number, run: Effect.Effect<unknown, E, R>) {
  const from = yield* usage
  yield* run
  const to = yield* usage
  const micros = (a: number, b: number) => ((b - a) / count).toFixed(1)
  yield* Console.log(`${name}: ${Math.round(count / (to.at - from.at) * 1_000)}/s, CPU us each: node ${micros(from.node, to.node)}, postgres ${micros(from.postgres, to.postgres)}`)
})

const program = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const queue = yield* TaskQueue
  const claims = yield* ClaimRepo
  const outcomes = yield* TaskOutcomes
  const [user_id, organization_id] = [UserId.make(randomUUID()), OrganizationId.make(randomUUID())]
  yield* sql`INSERT INTO users (id, email, password_hash, first_name, last_name) VALUES (${user_id}, ${`${user_id}@example.com`}, 'none', 'A', 'B')`
  yield* sql`INSERT INTO organizations (id, name, personal_of) VALUES (${organization_id}, 'Ada', ${user_id})`
  const submission = {
    kind: "BENCH", prefix: "bench", organization_id, user_id, payload: "{\"n\":1}", private_input: null,
    policy: backgroundPolicy
  }
  const N = 20_000
  for (const round of [1, 2, 3]) {
    yield* Console.log(`round ${round}`)
    yield* rate("submit x16", N, Effect.all(Array.from({ length: 16 }, () =>
      Effect.forEach(Array.from({ length: N / 16 }), () => queue.submit(submission), { discard: true })), { concurrency: "unbounded", discard: true }))
    const hundred = Array.from({ length: 100 }, () => submission)
    yield* rate("bulk of 100", N, Effect.forEach(Array.from({ length: N / 100 }), () => queue.submitAll(hundred), { discard: true }))
    const session_id = SessionId.make(randomUUID())
    let claimed = 0
    yield* rate("claim 256 + complete", N * 2, Effect.gen(function*() {
      for (;;) {
        const leases = yield* claims.claim({
          session_id, worker_id: WorkerId.make("w"), kinds: ["BENCH"], queues: ["default"], lineage: [], slots: 256
        })
        if (leases.length === 0) return
        claimed += leases.length
        yield* outcomes.reportAll({ id: session_id, lineage: [] }, leases.map((lease) =>
          ({ task_id: lease.task_id, session_id, attempt: lease.attempt, outcome: { _tag: "Completed", result: "null" } as const })))
      }
    }))
    yield* Console.log(`claimed ${claimed}`)
  }
})

Effect.runFork(Effect.scoped(Effect.provide(program, layer)).pipe(Effect.provideService(References.MinimumLogLevel, "None")))
