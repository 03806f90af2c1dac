import { assert, layer } from "@effect/vitest"
import { ScheduleId } from "@englog/domain/Ids"
import type { CatchUp } from "@englog/domain/schedules/Recurrence"
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Clock, DateTime, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { QueueLimits } from "../../src/queue/Backpressure.ts"
import { Engine } from "../../src/queue/Engine.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { DueSchedules } from "../../src/schedules/DueSchedules.ts"
import { ScheduleRepo } from "../../src/schedules/ScheduleRepo.ts"
import { encryptionKeys, newKind, newOwner } from "../support/QueueEngine.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const MAX_QUEUED = 5

const engine = DueSchedules.layer.pipe(
  Layer.provideMerge(ScheduleRepo.layer),
  Layer.provideMerge(Engine),
  Layer.provide([FieldCipher.layer(encryptionKeys), EngineSql.layer, Layer.succeed(QueueLimits, { perQueue: MAX_QUEUED, perTenant: 0 })]),
  Layer.provideMerge(TestDatabase.layer),
  Layer.orDie
)

interface Plan {
  readonly cron: string
  readonly next: string
  readonly queue?: string
  readonly catch_up?: CatchUp
  readonly paused?: boolean
}

const plan = Effect.fnUntraced(function*({ catch_up = "skip", cron, next, paused = false, queue = randomUUID() }: Plan) {
  const repo = yield* ScheduleRepo
  return Option.getOrThrow(yield* repo.insert({
    id: ScheduleId.make(randomUUID()),
    ...(yield* newOwner()),
    name: "Every minute",
    kind: newKind(),
    payload: "{\"of\":\"it\"}",
    policy: { ...backgroundPolicy, queue },
    cron,
    timezone: "UTC",
    paused,
    catch_up,
    catch_up_limit: 100,
    next_run_at: DateTime.makeUnsafe(next)
  }))
})

/** A round as if it were that time; nothing else moves, so that the engine's own loops do not run through the years between. */
const submitAt = (instant: string) =>
  Effect.gen(function*() {
    const millis = DateTime.toEpochMillis(DateTime.makeUnsafe(instant))
    const frozen: Partial<Record<PropertyKey, unknown>> = { currentTimeMillis: Effect.succeed(millis), currentTimeMillisUnsafe: () => millis }
    const clock = new Proxy(yield* Clock.Clock, { get: (live, key) => frozen[key] ?? Reflect.get(live, key, live) })
    return yield* Effect.provideService(DueSchedules.use(({ submit }) => submit), Clock.Clock, clock)
  })
const keysOf = (kind: string) =>
  SqlClient.SqlClient.use((sql) => sql<{ unique_key: string }>`SELECT unique_key FROM tasks WHERE kind = ${kind} ORDER BY unique_key`).pipe(
    Effect.map((rows) => rows.map(({ unique_key }) => unique_key))
  )

layer(engine, { excludeTestServices: true, timeout: "60 seconds" })("a schedule that is due", (it) => {
  it.effect("becomes one task of each occurrence, and its next time is the one after", () => Effect.gen(function*() {
    const { id, kind } = yield* plan({ cron: "* * * * *", next: "2030-01-01T00:01:00Z" })
    assert.deepStrictEqual(yield* submitAt("2030-01-01T00:00:59Z"), { submitted: 0, refused: 0, next: 1_000 })
    assert.deepStrictEqual(yield* submitAt("2030-01-01T00:01:00.020Z"), { submitted: 1, refused: 0, next: 59_980 })
    assert.deepStrictEqual((yield* submitAt("2030-01-01T00:01:00.020Z")).submitted, 0)
    assert.deepStrictEqual(yield* keysOf(kind), [`schedule:${id}:2030-01-01T00:01:00.000Z`])
    const repo = yield* ScheduleRepo
    const stored = yield* Effect.fromOption(yield* repo.find(id))
    assert.strictEqual(DateTime.formatIso(stored.last_run_at ?? stored.created_at), "2030-01-01T00:01:00.000Z")
    assert.strictEqual(stored.name, "Every minute")
    assert.match(stored.last_task_id ?? "", /^scheduled_/)
    assert.isTrue(yield* repo.remove(id))
  }))

  it.effect("becomes one task although four replicas look at once", () => Effect.gen(function*() {
    const made = yield* Effect.forEach(Array.from({ length: 10 }), () => plan({ cron: "* * * * *", next: "2030-01-02T00:01:00Z" }))
    const look = submitAt("2030-01-02T00:01:00Z")
    const rounds = yield* Effect.all([look, look, look, look], { concurrency: "unbounded" })
    assert.strictEqual(rounds.reduce((sum, { submitted }) => sum + submitted, 0), 10)
    for (const { id, kind } of made) {
      assert.strictEqual((yield* keysOf(kind)).length, 1)
      yield* ScheduleRepo.use((repo) => repo.remove(id))
    }
  }))

  it.effect("has one task of an occurrence even where its next time was set back", () => Effect.gen(function*() {
    const { id, kind } = yield* plan({ cron: "* * * * *", next: "2030-01-03T00:01:00Z" })
    assert.strictEqual((yield* submitAt("2030-01-03T00:01:10Z")).submitted, 1)
    yield* ScheduleRepo.use((repo) => repo.advance(id, DateTime.makeUnsafe("2030-01-03T00:01:00Z"), undefined))
    assert.strictEqual((yield* submitAt("2030-01-03T00:01:20Z")).submitted, 0)
    assert.strictEqual((yield* keysOf(kind)).length, 1)
    yield* ScheduleRepo.use((repo) => repo.remove(id))
  }))

  it.effect("catches up as it says", () => Effect.gen(function*() {
    const counts: Record<string, number> = {}
    for (const catch_up of ["skip", "last", "all"] as const) {
      const { id, kind } = yield* plan({ cron: "0 * * * *", next: "2030-01-04T01:00:00Z", catch_up })
        yield* submitAt("2030-01-04T04:30:00Z")
      counts[catch_up] = (yield* keysOf(kind)).length
      yield* ScheduleRepo.use((repo) => repo.remove(id))
    }
    assert.deepStrictEqual(counts, { skip: 0, last: 1, all: 4 })
  }))

  it.effect("submits nothing while it is paused", () => Effect.gen(function*() {
    const { id, kind } = yield* plan({ cron: "* * * * *", next: "2030-01-05T00:01:00Z", paused: true })
    assert.deepStrictEqual(yield* submitAt("2030-01-05T00:01:10Z"), { submitted: 0, refused: 0, next: undefined })
    assert.deepStrictEqual(yield* keysOf(kind), [])
    yield* ScheduleRepo.use((repo) => repo.remove(id))
  }))

  it.effect("stays due while its queue is full, and holds up no other", () => Effect.gen(function*() {
    const full = yield* plan({ cron: "0 * * * *", next: "2030-01-06T01:00:00Z", catch_up: "all" })
    const other = yield* plan({ cron: "* * * * *", next: "2030-01-06T07:59:00Z" })
    // Six occurrences where five tasks may wait: all or none.
    assert.deepInclude(yield* submitAt("2030-01-06T06:30:00Z"), { submitted: 0, refused: 1 })
    assert.deepInclude(yield* submitAt("2030-01-06T07:59:01Z"), { submitted: 1, refused: 1 })
    assert.deepStrictEqual([(yield* keysOf(full.kind)).length, (yield* keysOf(other.kind)).length], [0, 1])
    yield* ScheduleRepo.use((repo) => repo.remove(full.id))
    yield* ScheduleRepo.use((repo) => repo.remove(other.id))
  }))
})
