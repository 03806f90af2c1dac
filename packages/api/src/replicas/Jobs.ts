/** The nightly jobs with their last run, whichever replica it was on; and each of them now, for an administrator. */
import { Conflict, type Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { JobView } from "@englog/rpc/http/JobsApi"
import { Context, Effect, FiberSet, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { waitedOut, warnUnlessOutage } from "../db/Outage.ts"
import { actor, administratorsOnly, type Operator } from "../security/Operator.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { JobRepo, type JobRun } from "./JobRepo.ts"

export interface NightlyJob<R> {
  readonly name: string
  /** Of the hour from 3 to 4 UTC; `quarterly`: every quarter of every hour instead, because zones differ by as much. */
  readonly minute: number | "quarterly"
  /** Answers how many of `what` it removed, or made. Two runs at once do no harm. */
  readonly run: Effect.Effect<number, SqlError, R>
  readonly what: string
}

export class Jobs extends Context.Service<Jobs, {
  readonly list: (operator: Operator) => Effect.Effect<ReadonlyArray<JobView>, Forbidden | SqlError>
  /** Answers once it has begun. */
  readonly start: (operator: Operator, name: string) => Effect.Effect<JobView, Conflict | Forbidden | NotFound | SqlError>
  /** Runs it, unless a run is under way; what becomes of it is told in the log and by `list`. */
  readonly runAtNight: (name: string) => Effect.Effect<void>
}>()("@englog/api/replicas/Jobs") {
  static readonly layer = <R>(jobs: ReadonlyArray<NightlyJob<R>>) =>
    Layer.effect(
      Jobs,
      Effect.gen(function*() {
        const repo = yield* JobRepo
        const { record } = yield* SecurityEvents
        const context = yield* Effect.context<R>()
        const startInBackground = yield* FiberSet.makeRuntime<never, void, never>()

        const carryOut = ({ minute, name, run, what }: NightlyJob<R>, id: string) =>
          waitedOut(run).pipe(
            Effect.provideContext(context),
            Effect.tap((removed) => removed === 0 ? Effect.void : Effect.logInfo(`${doneBy(minute)} ${what}`, { removed })),
            Effect.matchCauseEffect({
              onSuccess: (removed) => repo.end(name, id, removed),
              onFailure: (cause) =>
                Effect.andThen(warnUnlessOutage(`${what} could not be ${doneBy(minute)}; trying again later`, cause), repo.end(name, id, null))
            }),
            Effect.catchCause((cause) => warnUnlessOutage(`what became of ${name} could not be noted`, cause)),
            Effect.annotateLogs({ component: "replicas", operation: name })
          )

        const viewOf = (job: NightlyJob<R>, runs: ReadonlyArray<JobRun>) => view(job, runs.find(({ name }) => name === job.name))

        return Jobs.of({
          list: Effect.fn("Jobs.list")(function*(operator) {
            yield* administratorsOnly(operator)
            const runs = yield* repo.list
            return jobs.map((job) => viewOf(job, runs))
          }),
          start: Effect.fn("Jobs.start")(function*(operator, name) {
            yield* administratorsOnly(operator)
            const job = jobs.find((job) => job.name === name)
            if (job === undefined) return yield* new NotFound({ error: `name: there is no job ${name}` })
            const id = randomUUID()
            if (!(yield* repo.begin(name, id, "admin"))) return yield* new Conflict({ error: `${name} is under way already` })
            yield* record({ event: "job_started", ...actor(operator), detail: { job: name } })
            const begun = viewOf(job, yield* repo.list)
            yield* Effect.sync(() => startInBackground(carryOut(job, id)))
            return begun
          }),
          runAtNight: Effect.fn("Jobs.runAtNight")(function*(name) {
            const job = jobs.find((job) => job.name === name)
            if (job === undefined) return
            const id = randomUUID()
            yield* waitedOut(repo.begin(name, id, "schedule")).pipe(
              Effect.flatMap((begun) => begun ? carryOut(job, id) : Effect.void),
              Effect.catchCause((cause) => warnUnlessOutage(`${name} could not begin; trying again tomorrow`, cause))
            )
          })
        })
      })
    ).pipe(Layer.provide(JobRepo.layer))
}

const doneBy = (minute: NightlyJob<never>["minute"]) => minute === "quarterly" ? "submitted" : "removed"

const view = <R>({ minute, name, what }: NightlyJob<R>, run: JobRun | undefined): JobView =>
  new JobView({
    name,
    description: what,
    runs_at: minute === "quarterly" ? "every 15 minutes" : `03:${String(minute).padStart(2, "0")} UTC`,
    state: run === undefined ? "never_run" : run.given_up ? "failed" : run.outcome ?? "running",
    started_at: run?.started_at ?? null,
    ended_at: run?.ended_at ?? null,
    started_by: run?.started_by ?? null,
    removed: run?.removed ?? null
  })
