/**
 * The demo: a work log goes in, an insight comes out, on an EngLog of its own that is gone afterwards.
 */
import { Insight } from "@englog/domain/insights/Insight"
import { Clock, DateTime, Duration, Effect, Schema, Stream } from "effect"
import type { DemoArguments } from "./DemoArguments.ts"
import { fetchInsight, record, requestInsight, signUp, steps } from "./DemoClient.ts"
import { demoLog } from "./DemoLog.ts"
import { DemoError } from "./DemoError.ts"
import { insightText } from "./InsightText.ts"
import { progressBar } from "./ProgressBar.ts"
import { makeScreen, type Screen } from "./Screen.ts"
import { watchTask } from "./TaskWatch.ts"
import { type Environment, temporaryEngLog } from "./TemporaryEngLog.ts"
import type { WorkLogEntry } from "./WorkLog.ts"

/** Ends when everything that it started has ended. */
export const demo = Effect.fnUntraced(function*(args: DemoArguments, environment: Environment) {
  const began = yield* Clock.currentTimeMillis
  const screen = yield* makeScreen(args.json ? process.stderr : process.stdout)
  const outcome = yield* Effect.scoped(run(args, environment, screen))
  const seconds = Math.round(Duration.toMillis((yield* Clock.currentTimeMillis) - began) / 100) / 10
  yield* screen.say(`Done in ${seconds} s; nothing is left running.`)
  if (args.json) {
    const { facts, ...insight } = yield* encodeInsight(outcome.insight)
    const { status, task_id, trace_id } = outcome
    yield* Effect.sync(() => void process.stdout.write(`${JSON.stringify({ task_id, trace_id, status, insight, facts, seconds })}\n`))
  }
}, Effect.scoped)

const encodeInsight = Schema.encodeEffect(Insight)

const run = Effect.fnUntraced(function*(args: DemoArguments, environment: Environment, screen: Screen) {
  const log = yield* demoLog(args.source)
  yield* screen.say(`${log.told}: ${counted(log.entries)}, ${period(log.entries)}.`)
  yield* screen.say("Starting PostgreSQL, the API server and a worker …")
  const englog = yield* temporaryEngLog(environment)
  const whole = Effect.gen(function*() {
    const user = yield* signUp(englog.url, log.engineer)
    const entry_ids = yield* record(user, log.entries)
    yield* screen.say(`Recorded ${counted(entry_ids)} of ${log.engineer.first_name} ${log.engineer.last_name}. Asking for an insight:`)
    return yield* Effect.withSpan(ask(user, entry_ids, screen), "demo")
  })
  const outcome = yield* Effect.raceFirst(whole, englog.end).pipe(
    Effect.mapError(({ message }) => new DemoError({ message: `${message} (log: ${englog.log})` }))
  )
  yield* show(outcome, screen)
  return outcome
})

type User = Effect.Success<ReturnType<typeof signUp>>
type EntryIds = Effect.Success<ReturnType<typeof record>>
type Outcome = Effect.Success<ReturnType<typeof ask>>

/** All of it is one trace, which this span begins. */
const ask = Effect.fnUntraced(function*(user: User, entry_ids: EntryIds, screen: Screen) {
  const { traceId } = yield* Effect.orDie(Effect.currentSpan)
  const task_id = yield* requestInsight(user, entry_ids, "What was achieved in this period, for a performance review")
  yield* watchTask(steps(user, task_id)).pipe(
    Stream.runForEach((step) => screen.progress(progressBar(step.progress, step.message ?? step.type)))
  )
  const { insight, status } = yield* fetchInsight(user, task_id)
  return { task_id, trace_id: traceId, status, insight }
})

const show = Effect.fnUntraced(function*({ insight, task_id, trace_id }: Outcome, screen: Screen) {
  const lines = [
    "",
    ...insightText(insight, screen.width),
    "",
    `Written by ${insight.model} with confidence ${insight.confidence.toFixed(2)}; every figure was checked against the facts.`,
    `Task ${task_id}`,
    `Trace ${trace_id}`
  ]
  yield* Effect.forEach(lines, screen.say, { discard: true })
})

const counted = (entries: ReadonlyArray<unknown>): string => entries.length === 1 ? "one entry" : `${entries.length} entries`

const period = (entries: ReadonlyArray<WorkLogEntry>): string => {
  const days = entries.map(({ start_time }) => DateTime.formatIsoDateUtc(start_time)).sort()
  return days[0] === days.at(-1) ? `on ${days[0]}` : `from ${days[0]} to ${days.at(-1)}`
}
