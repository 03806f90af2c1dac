/**
 * Tasks per second through link, supervisor and the session's stream, beside a server of this process that plays the API:
 * `LOG_LEVEL=warn node packages/worker/test/support/throughput.ts [tasks] [concurrency]`. It warms up first. The last line is JSON.
 */
import { Effect, Layer, References } from "effect"
import * as FakeApi from "./FakeApi.ts"
import { handler, worker } from "./TestWorker.ts"

const [tasks = 20_000, concurrency = 50] = process.argv.slice(2).map(Number)

const program = Effect.gen(function*() {
  let left = 0
  let done = 0
  const api: FakeApi.FakeApi = yield* FakeApi.make({
    report: () =>
      Effect.suspend(() => {
        done += 1
        left -= 1
        return left >= 0 ? Effect.asVoid(api.send(FakeApi.task(`t${left}`))) : Effect.void
      })
  })
  yield* Layer.build(worker([api.address], [handler(() => Effect.succeed("{\"ok\":true}"))], { maxConcurrent: concurrency }))
  const run = Effect.fnUntraced(function*(count: number) {
    const window = Math.min(count, concurrency + 256)
    done = 0
    left = count - window
    const [began, used, frames] = [performance.now(), process.cpuUsage(), api.frames.length]
    yield* Effect.forEach(Array.from({ length: window }), (_, n) => api.send(FakeApi.task(`first${n}`)), { discard: true })
    yield* FakeApi.eventually("all are done", () => done === count)
    const cpu = process.cpuUsage(used)
    const seconds = (performance.now() - began) / 1_000
    return {
      tasks_per_second: Math.round(count / seconds),
      cpu_us_per_task: Math.round((cpu.user + cpu.system) / count),
      messages_up: api.frames.length - frames
    }
  })
  yield* run(tasks / 4)
  process.stdout.write(`${JSON.stringify({ tasks, concurrency, ...(yield* run(tasks)) })}\n`)
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provideService(References.MinimumLogLevel, "Warn")))
process.exit(0)
