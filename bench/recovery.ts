/**
 * `npm run bench:recovery`: what a restart of PostgreSQL costs while insights are submitted without pause, once by kill -9
 * of the server and once by a stop in good order. The API restarts its embedded server and is not restarted itself.
 *
 * `outage`: from the last 202 before to the first one after. `after_database`: to that first 202 from the moment in which
 * PostgreSQL answers a query again (asked every 5 ms over a connection of its own). A task counts as lost when it was
 * accepted and is not completed at the end, as duplicated when it has more than one insight.
 */
import { Database } from "@englog/api/db/Database"
import { Installation } from "@englog/e2e/Installation"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Clock, Context, Effect, Fiber, Layer, Option, Redacted, Ref, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { note, report, rounded } from "./Figures.ts"
import { type Asker, askers, idle, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const CLIENTS = 5
/** Of load before the restart and after the recovery. */
const STEADY = "2 seconds"

interface Answer {
  /** Milliseconds on a clock that only goes forward. */
  readonly at: number
  readonly status: number
  readonly text: string
}

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

const load = Effect.fnUntraced(function*(people: ReadonlyArray<Asker>) {
  const answers: Array<Answer> = []
  const stopped = yield* Ref.make(false)
  const client = (asker: Asker) =>
    Effect.gen(function*() {
      const { status, text } = (yield* submit(asker)).value
      answers.push({ at: yield* now, status, text })
      if (status !== 202) yield* Effect.sleep("10 millis")
    }).pipe(Effect.repeat({ until: () => Ref.get(stopped) }))
  const clients = yield* Effect.forkScoped(Effect.forEach(people, client, { concurrency: people.length, discard: true }))
  return { answers, stop: Effect.andThen(Ref.set(stopped, true), Fiber.join(clients)) }
})

/** When PostgreSQL answers again, having not answered. */
const databaseBack = Effect.gen(function*() {
  const { postgresUrl } = yield* Installation
  const url = Redacted.make(yield* postgresUrl)
  const ask = Effect.gen(function*() {
    const context = yield* Layer.build(Database.layer({ url, connectTimeout: "200 millis", acquireTimeout: "200 millis" }))
    yield* Context.get(context, SqlClient.SqlClient)`SELECT 1`
  }).pipe(Effect.scoped)
  const every5 = Schedule.spaced("5 millis")
  yield* Effect.flip(ask).pipe(Effect.retry(every5))
  yield* ask.pipe(Effect.retry(every5))
  return yield* now
})

const restart = Effect.fnUntraced(function*(signal: "SIGKILL" | "SIGINT", people: ReadonlyArray<Asker>) {
  const { signalPostmaster } = yield* Installation
  const { answers, stop } = yield* load(people)
  yield* Effect.sleep(STEADY)
  const back = yield* Effect.forkScoped(databaseBack)
  // Its first question has been answered by then.
  yield* Effect.sleep("200 millis")
  const struck = yield* now
  yield* signalPostmaster(signal)
  const database = yield* Fiber.join(back)
  yield* Effect.sleep(STEADY)
  yield* stop
  const accepted = answers.filter(({ status }) => status === 202)
  const failed = answers.find(({ at, status }) => at >= struck && status !== 202)?.at ?? struck
  const first = accepted.find(({ at }) => at > Math.max(failed, database))?.at ?? Number.NaN
  const last = accepted.findLast(({ at }) => at < failed)?.at ?? struck
  return {
    accepted,
    figures: {
      database_away_ms: rounded(database - struck),
      after_database_ms: rounded(first - database),
      outage_ms: rounded(first - last),
      accepted: accepted.length,
      statuses: Object.fromEntries([...Map.groupBy(answers, ({ status }) => status)].map(([status, all]) => [status, all.length]))
    }
  }
})

/** How the accepted tasks ended, by the database's own word. */
const fates = Effect.fnUntraced(function*(accepted: ReadonlyArray<Answer>) {
  const { postgresUrl } = yield* Installation
  const context = yield* Layer.build(Database.layer({ url: Redacted.make(yield* postgresUrl) }))
  const sql = Context.get(context, SqlClient.SqlClient)
  const ids = yield* Effect.forEach(accepted, ({ text }) =>
    Effect.map(Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))(text), ({ task_id }) => task_id))
  const rows = yield* sql<{ completed: number; duplicated: number }>`
    SELECT count(*) FILTER (WHERE t.outcome = 'completed')::int AS completed, count(*) FILTER (WHERE i.count > 1)::int AS duplicated
    FROM tasks t, LATERAL (SELECT count(*) FROM insights i WHERE i.task_id = t.task_id) i WHERE t.task_id = ANY (${ids}::text[])`
  const { completed, duplicated } = yield* Effect.fromOption(Option.fromNullishOr(rows[0]))
  return { accepted: ids.length, lost: ids.length - completed, duplicated }
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const people = yield* askers(api.url, CLIENTS)
  const [first] = people
  if (first === undefined) return
  yield* installation.startWorker("bench", { WORKER_MAX_CONCURRENT: "20" })
  yield* note("kill -9 of PostgreSQL under load")
  const killed = yield* restart("SIGKILL", people)
  yield* note("stop of PostgreSQL in good order under load")
  const stopped = yield* restart("SIGINT", people)
  yield* note("waiting until everything that was accepted has ended")
  yield* idle(api.url, first)
  yield* report("recovery", {
    clients: CLIENTS,
    killed: killed.figures,
    stopped: stopped.figures,
    tasks: yield* fates([...killed.accepted, ...stopped.accepted])
  })
}))
