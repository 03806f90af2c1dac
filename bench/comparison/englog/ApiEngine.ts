/**
 * Ours, the submitting side: a whole API server (HTTP, RPC, gRPC, dispatcher), with a driver in the same process that
 * submits as a noun of the API does. Configured by its environment, like any API server.
 */
import { ApiServer, queue } from "@englog/api/ApiServer"
import { API_VERSION } from "@englog/api/ApiVersion"
import { AppConfig } from "@englog/api/AppConfig"
import { DataLive } from "@englog/api/layers/DataLive"
import { HealthChecks } from "@englog/api/http/health/HealthChecks"
import { EventFeed } from "@englog/api/queue/EventFeed"
import { TaskOutcomes } from "@englog/api/queue/TaskOutcomes"
import { TaskQueue } from "@englog/api/queue/TaskQueue"
import { NodeServices } from "@effect/platform-node"
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Effect, Layer, ManagedRuntime, Stream } from "effect"
import { HttpServer } from "effect/http"
import { paced } from "../Callers.ts"
import { type Engine, type Job, now } from "../Engine.ts"
import { BenchRepo, type Owner, seededKind } from "./BenchRepo.ts"
import { BenchTask } from "./BenchTask.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ service: "api", serviceVersion: API_VERSION, ...config.telemetry })))

/** The server's own engine: a layer is built once, wherever it is asked for. */
const engine = queue.pipe(Layer.provide(DataLive), Layer.provide(HealthChecks.layer), Layer.provide(NodeServices.layer))

/** With its logger, which the driver is to share. */
const program = Layer.merge(ApiServer, engine).pipe(Layer.provideMerge(telemetry), Layer.provide(AppConfig.layer))

const submission = (owner: Owner, job: Job, kind: string = BenchTask.kind) => ({
  kind,
  prefix: "bench",
  ...owner,
  payload: JSON.stringify(job),
  private_input: null,
  policy: BenchTask.policy
})

export const ApiEngine: Engine = {
  name: "englog",
  submitter: async ({ url, variant }) => {
    const runtime = ManagedRuntime.make(program)
    const tasks = await runtime.runPromise(TaskQueue)
    const feed = await runtime.runPromise(EventFeed)
    const address = await runtime.runPromise(Effect.gen(function*() {
      const grpc = yield* GrpcServer
      return { http: HttpServer.formatAddress((yield* HttpServer.HttpServer).address), grpc: `${grpc.host}:${grpc.port}` }
    }))
    const repo = new BenchRepo(url)
    const owner = await repo.newOwner()
    const one = (job: Job) => tasks.submit(submission(owner, job))
    const many = (jobs: ReadonlyArray<Job>) => tasks.submitAll(jobs.map((job) => submission(owner, job)))

    /** Until `ms` have passed; `size` is what one call counts for. */
    const repeated = Effect.fnUntraced(function*<E>(callers: number, ms: number, size: number, call: (n: number) => Effect.Effect<unknown, E>) {
      const began = now()
      let next = 0
      let accepted = 0
      const caller = Effect.gen(function*() {
        while (now() - began < ms) {
          yield* call(next++)
          accepted += size
        }
      })
      yield* Effect.forEach(Array.from({ length: callers }), () => caller, { concurrency: callers, discard: true })
      return { count: accepted, ms: now() - began }
    })
    const numbered = (from: number, count: number, ms = 0): ReadonlyArray<Job> => Array.from({ length: count }, (_, index) => ({ n: from + index, ms }))

    if (variant === "history") {
      const [finished, queued] = await runtime.runPromise(seeds(await repo.newOwner()))
      await repo.seedHistory(HISTORY_ROWS, finished, queued)
    }
    return {
      enqueueFor: (callers, ms) => runtime.runPromise(repeated(callers, ms, 1, (n) => one({ n, ms: 0 }))),
      enqueueBulkFor: (size, ms) => runtime.runPromise(repeated(1, ms, size, (n) => many(numbered(n * size, size)))),
      preload: (count, ms) => runtime.runPromise(Effect.forEach(chunked(numbered(0, count, ms)), many, { discard: true })),
      pace: (count, perSecond) => paced(count, perSecond, (n) => runtime.runPromise(one({ n, ms: 0 }))),
      open: () => repo.open(),
      clear: () => repo.clear(),
      idleListeners: async (count) => {
        const other = await repo.newOwner()
        const ids = await runtime.runPromise(Effect.forEach(numbered(0, count), (job) => tasks.submit(submission(other, job, seededKind)), { concurrency: 100 }))
        for (const id of ids) runtime.runFork(Stream.runDrain(feed.follow(id, 0)))
      },
      address: () => address
    }
  },
  worker: () => Promise.reject(new Error("the API server runs no jobs"))
}

const HISTORY_ROWS = Number(process.env["BENCH_HISTORY_ROWS"] ?? 1_000_000)

/** How many tasks one call may hand in while the queue is filled for a later measurement. */
const CHUNK = 500

const chunked = (jobs: ReadonlyArray<Job>): ReadonlyArray<ReadonlyArray<Job>> =>
  Array.from({ length: Math.ceil(jobs.length / CHUNK) }, (_, index) => jobs.slice(index * CHUNK, (index + 1) * CHUNK))

/** A task that has ended and one that waits, both written by the product itself; the seeding copies them. */
const seeds = Effect.fnUntraced(function*(owner: Owner) {
  const tasks = yield* TaskQueue
  const finished = yield* tasks.submit(submission(owner, { n: 0, ms: 0 }, seededKind))
  yield* TaskOutcomes.use((outcomes) => outcomes.cancel(finished, "seeded"))
  return [finished, yield* tasks.submit(submission(owner, { n: 0, ms: 0 }, seededKind))] as const
})
