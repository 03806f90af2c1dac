import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestApi } from "../http/TestApi.ts"
import { person, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("GET /v1/workers/scaling", (it) => {
  it.effect("suggests as many workers as hold what is due and what runs", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* person()
    const kind = newKind()
    const scaling = ask("GET", "/v1/workers/scaling", { token: ada.token })
    const idle = yield* scaling
    assert.deepStrictEqual([idle.status, idle.at("queues"), idle.at("suggested_workers"), idle.at("slots_per_worker")], [200, [], 0, 5])
    const worker = yield* workerFor([kind], { slots: 2 })
    for (let n = 0; n < 7; n++) yield* ada.started({ task_type: kind })
    yield* ada.started({ task_type: kind, delay: 3_600 })
    yield* worker.next
    yield* worker.next
    const busy = yield* eventually(scaling, (answer) => answer.at("queues", 0, "in_flight") === 2)
    const queue = busy.at("queues", 0)
    assert.deepInclude(queue, { queue: "default", depth: 5, not_ready: 1, in_flight: 2, suggested_workers: 4 })
    assert.deepStrictEqual([busy.at("slots_per_worker"), busy.at("suggested_workers")], [2, 4])
    assert.isAbove(Number(busy.at("queues", 0, "oldest_due_seconds")), 0)
    assert.strictEqual((yield* ask("GET", "/v1/workers/scaling")).status, 401)
  }))
})
