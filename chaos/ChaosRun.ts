/** One run: bring the cluster up, load and faults at once, heal, wait until everything has ended, judge. */
import { FieldCipher } from "@englog/api/crypto/FieldCipher"
import { Database } from "@englog/api/db/Database"
import { Duration, Effect, Layer, Option, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import * as path from "node:path"
import * as Accounts from "./Accounts.ts"
import type { Arguments } from "./Arguments.ts"
import { check } from "./Checker.ts"
import * as Clients from "./Clients.ts"
import { APIS, Cluster, WORKERS } from "./Cluster.ts"
import * as Collector from "./Collector.ts"
import * as FaultInjector from "./FaultInjector.ts"
import * as FaultSchedule from "./FaultSchedule.ts"
import * as LeaseAudit from "./LeaseAudit.ts"
import * as Pulse from "./Pulse.ts"
import type { Run } from "./Verdict.ts"

/** Of the minutes given, for coming up, healing and judging. */
const OVERHEAD = Duration.seconds(60)
const PER_SECOND = 30

const tell = (line: string) => Effect.sync(() => void process.stderr.write(`${line}\n`))

export const run = Effect.fn("ChaosRun.run")(function*({ minutes, seed }: Arguments, folder: string) {
  const loadTime = Duration.subtract(Duration.minutes(minutes), OVERHEAD)
  const faults = FaultSchedule.make(seed, Duration.toMillis(loadTime), { workers: WORKERS, apis: APIS })
  const schedule = FaultSchedule.hash(faults)
  yield* tell(`seed ${seed}, schedule ${schedule}: ${faults.length} faults in ${Duration.format(loadTime)}; files in ${folder}`)
  const redisUrl = yield* redisThatAnswers
  if (Option.isNone(redisUrl)) yield* tell("SKIPPED: redis_loss, because no Redis answers (REDIS_URL, else 127.0.0.1:6379)")
  return yield* withCluster(seed, minutes, schedule, faults, loadTime).pipe(
    Effect.provide(Cluster.layer({ folder, seed, redisUrl })),
    // Followers that were cut off would try for ever.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
})

const withCluster = Effect.fnUntraced(function*(
  seed: number,
  minutes: number,
  schedule: string,
  faults: ReturnType<typeof FaultSchedule.make>,
  loadTime: Duration.Duration
) {
  const cluster = yield* Cluster
  const inspection = Layer.mergeAll(
    Database.layer({ url: cluster.databaseUrl, applicationName: "chaos", statementTimeout: "2 minutes" }),
    FieldCipher.layer(cluster.encryptionKeys)
  )
  return yield* Effect.gen(function*() {
    yield* LeaseAudit.install()
    const urls = cluster.apis.map(({ url }) => url)
    const accounts = [yield* Accounts.open("ada@example.com", urls), yield* Accounts.open("grace@example.com", urls)] as const
    const sql = yield* SqlClient.SqlClient
    // While the database is away nobody is told to wait.
    const openTasks = Collector.open.pipe(Effect.map(({ count }) => count), Effect.orElseSucceed(() => 0), Effect.provideService(SqlClient.SqlClient, sql))
    const clockOffset = yield* Collector.clockOffset
    yield* Effect.forkScoped(Pulse.watch(tell))
    const [load, counts] = yield* Effect.all([
      Clients.run({ folder: cluster.folder, seed, accounts: [...accounts], perSecond: PER_SECOND, open: openTasks }, loadTime),
      FaultInjector.carryOut(faults, tell)
    ], { concurrency: 2 })
    const healedAt = yield* whenBack(Collector.databaseTime)
    yield* tell("healed; waiting until every task has ended")
    yield* untilAllEnded(healedAt)
    yield* Effect.timeoutOption(load.followedToTheEnd, "45 seconds")
    yield* tell("judging")
    const evidence = yield* Collector.collect({ load, accounts: [...accounts], healedAt, clockOffset })
    const violations = check(evidence)
    writeFileSync(path.join(cluster.folder, "violations.json"), JSON.stringify(violations, null, 2))
    writeFileSync(path.join(cluster.folder, "evidence.json"), JSON.stringify({ ...evidence, histories: Object.fromEntries(evidence.histories) }))
    const run: Run = { seed, minutes, schedule, evidence, faults: counts, violations }
    return run
  }).pipe(Effect.provide(inspection))
})

const whenBack = <A, E, R>(question: Effect.Effect<A, E, R>) => Effect.retry(question, Schedule.spaced("200 millis"))

/** At most until the last deadline has passed by a minute and a half: then the checker says what is wrong. */
const untilAllEnded = Effect.fnUntraced(function*(healedAt: number) {
  for (;;) {
    const { count, deadline } = yield* whenBack(Collector.open)
    if (count === 0 || (yield* Collector.databaseTime) > Math.max(deadline, healedAt) + 90_000) return
    yield* Effect.sleep("500 millis")
  }
})

const redisThatAnswers = Effect.suspend(() => {
  const url = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379"
  return Effect.map(answers(new URL(url)), (there) => there ? Option.some(url) : Option.none())
})

const answers = ({ hostname, port }: URL) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect({ host: hostname, port: Number(port || 6379) })
    socket.once("connect", () => resume(Effect.succeed(true)))
    socket.once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.succeed(false) }))
