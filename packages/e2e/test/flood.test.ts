/** A worker that floods the API with lies, while an honest one beside it works. */
import { afterAll, assert, layer, vi } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { existsSync } from "node:fs"
import { Installation } from "../src/Installation.ts"
import { faultsOf, flood, totalOf } from "../src/Liar.ts"
import { register } from "../src/Person.ts"
import { peakMiB } from "../src/Resident.ts"
import { waitUntil } from "../src/WaitUntil.ts"

// What it bounds is the memory of the heap that an API has by default.
vi.stubEnv("HEAP", "small")
afterAll(() => void vi.unstubAllEnvs())

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeServices.layer)

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("a worker that floods the API with lies", (it) => {
  it.effect("is refused, and neither keeps others from their work nor fills the memory", () => Effect.gen(function*() {
    const installation = yield* Installation
    const api = yield* installation.startApi()
    yield* installation.startWorker("honest")
    const ada = yield* register(api.url, "ada@example.com")
    const entry = yield* ada.addEntry({})
    const insight = Effect.flatMap(ada.submit([entry]), ada.result)
    const first = yield* ada.submit([entry])
    yield* ada.result(first)
    // Elsewhere than on Linux nobody tells it.
    const peak = existsSync("/proc/self/status") ? peakMiB(api.pid) : Effect.succeed(0)
    const before = yield* peak
    const statuses = yield* flood(api.grpc, first)
    const submitted = yield* Effect.forEach(Array.from({ length: 20 }), () => insight)
    yield* waitUntil("2,000 lies, some refused for their number", () =>
      totalOf(statuses) > 2_000 && (statuses.get("RESOURCE_EXHAUSTED") ?? 0) > 50)
    assert.lengthOf(submitted, 20)
    assert.isTrue(submitted.every(({ view }) => view.worker_id === "honest"))
    assert.strictEqual(faultsOf(statuses), 0, JSON.stringify([...statuses]))
    for (const status of ["FAILED_PRECONDITION", "INVALID_ARGUMENT", "UNAUTHENTICATED"]) assert.isAbove(statuses.get(status) ?? 0, 50, status)
    assert.isBelow((yield* peak) - before, 150, `MiB more than the ${before} MiB before`)
    assert.isTrue(api.lines.some((line) => line.includes("refused a worker: too many ")))
    // Nothing of it is left when it ends.
    yield* insight
  }), 110_000)
})
