/**
 * `npm run bench:cancel`: from a request to cancel a running task, at one API server, to the interruption of its handler, in a
 * worker that is connected to another one.
 *
 * The handlers wait for a language model that never answers. `interrupted` is when that model sees its caller go away: the
 * handler has stopped then, not only been told to.
 */
import { Effect, Schedule } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { FakeOllama, held, insight } from "@englog/e2e/FakeOllama"
import { Installation } from "@englog/e2e/Installation"
import { distribution, note, report, timed } from "./Figures.ts"
import { askers, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const TASKS = 200

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const model = yield* FakeOllama
  yield* model.answer(held(insight("never")))
  const api = yield* installation.startApi()
  const other = yield* installation.startAnotherApi()
  yield* installation.startLonelyWorker("bench", { API_SERVER_GRPC_ADDRESS: other.grpc, OLLAMA_URL: model.url, LLM_PROVIDER: "ollama" })
  const [asker] = yield* askers(api.url, 1)
  if (asker === undefined) return
  const { person } = asker
  const aborted = () => model.requests.filter((request) => request.aborted).length

  const once = Effect.fnUntraced(function*(nth: number) {
    const { value } = yield* submit(asker)
    const task_id = /"task_id":"([^"]+)"/.exec(value.text)?.[1] ?? ""
    yield* model.asked(nth + 1)
    const { ms } = yield* timed(
      HttpClient.execute(HttpClientRequest.bearerToken(HttpClientRequest.post(`${api.url}/v1/tasks/${task_id}/cancel`), person.token)).pipe(
        Effect.andThen(Effect.sync(aborted).pipe(Effect.repeat({ until: (count) => count > nth, schedule: Schedule.spaced("1 millis") })))
      )
    )
    return ms
  })

  yield* note(`${TASKS} tasks, one after the other, each cancelled at the other server while its handler runs`)
  const found = yield* Effect.forEach(Array.from({ length: TASKS }, (_, nth) => nth), once)
  yield* report("cancel", { tasks: found.length, interrupted: distribution(found), target: { p99_ms: 1_000 } })
}).pipe(Effect.provide(FakeOllama.layer)))
