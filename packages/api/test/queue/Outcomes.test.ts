import { assert, layer } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Duration, Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { LeaseRepo } from "../../src/queue/LeaseRepo.ts"
import { InvalidResult, OutcomeEffectError, type RegisteredKind, TaskKinds } from "../../src/queue/TaskKinds.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import {
  age, claim, claimant, completed, enqueue, events, eventTypes, failed, find, newKind, QueueEngine, release, report, running, stopped
} from "../support/QueueEngine.ts"

const overdueNow = (...tasks: ReadonlyArray<TaskId>) =>
  LeaseRepo.use((leases) => leases.overdue(Duration.seconds(2), Duration.seconds(5))).pipe(
    Effect.map((all) => all.filter((task) => tasks.includes(task.task_id)))
  )
const cancel = (task_id: TaskId) => TaskOutcomes.use((outcomes) => outcomes.cancel(task_id, "no longer needed"))
const overdue = (task_id: TaskId, why: "deadline" | "timeout" | "cancel") => TaskOutcomes.use((outcomes) => outcomes.overdue(task_id, why))

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("outcomes", (it) => {
  it.effect("retries a reported failure after the policy's wait, then fails with the last error", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { kind, session_id, task_id } = yield* running({ retry: { max_retries: 1, base_delay: 60_000, max_delay: 60_000 } })
    yield* report(task_id, session_id, 1, failed("the model is away"))
    const [row] = yield* sql<{ seconds: number }>`SELECT extract(epoch FROM q.run_at - now())::float8 AS seconds
      FROM task_queue q JOIN tasks t ON t.id = q.id WHERE t.task_id = ${task_id}`
    assert.isTrue(row !== undefined && row.seconds > 45 && row.seconds <= 60, `waits ${row?.seconds} s`)
    yield* age(task_id, "run_at", 1)
    const second = claimant(kind)
    yield* claim(second)
    yield* report(task_id, second.session_id, 2, failed("still away"))
    assert.deepInclude(yield* find(task_id), { state: "failed", reason: "error", error: "still away", attempt: 2, max_attempts: 2, result: null })
    const history = yield* events(task_id)
    assert.deepStrictEqual(history.map((event) => event.type), ["queued", "started", "retrying", "started", "failed"])
    assert.deepStrictEqual([history[2]?.message, history[4]?.message], ["the model is away", "still away"])
  }))

  it.effect("fails at once where the policy has no retries, and says so where the worker gave no reason", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* report(task_id, session_id, 1, failed(""))
    assert.deepInclude(yield* find(task_id), { state: "failed", error: "the task failed without saying why" })
  }))

  it.effect("keeps the dead letter whole: payload, error and history", () => Effect.gen(function*() {
    const payload = "{\"entry_ids\": [\"1\"]}"
    const { session_id, task_id } = yield* running({ payload })
    yield* report(task_id, session_id, 1, failed("broken"))
    assert.deepInclude(yield* find(task_id), { payload, error: "broken", state: "failed" })
    assert.strictEqual((yield* events(task_id)).length, 3)
    assert.deepStrictEqual(yield* (yield* LeaseRepo).lock(task_id), Option.none())
  }))

  it.effect("gives a task up after three workers in a row were lost with it", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    for (const round of [2, 3]) {
      const worker = claimant(kind)
      assert.strictEqual((yield* claim(worker))[0]?.attempt, round)
      yield* release(task_id, worker.session_id, "Lost")
    }
    assert.deepInclude(yield* find(task_id), { state: "failed", reason: "lost", attempt: 3 })
    assert.match((yield* find(task_id)).error ?? "", /^lost: three workers/)
    assert.deepStrictEqual((yield* eventTypes(task_id)).slice(-3), ["rescued", "started", "failed"])
  }))

  it.effect("may be handed back as often as workers leave", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "HandedBack")
    for (const _ of [2, 3, 4, 5]) {
      const worker = claimant(kind)
      yield* claim(worker)
      yield* release(task_id, worker.session_id, "HandedBack")
    }
    assert.deepInclude(yield* find(task_id), { state: "queued", attempt: 5, rescues: 0 })
  }))

  it.effect("cancels a waiting task at once, and leaves one alone that has ended", () => Effect.gen(function*() {
    const task_id = yield* enqueue({ kind: newKind() })
    assert.strictEqual(yield* cancel(task_id), "cancelled")
    assert.strictEqual(yield* cancel(task_id), "already_ended")
    assert.strictEqual(yield* cancel(TaskId.make("test_of_nobody_at_all")), "not_found")
    assert.deepInclude(yield* find(task_id), { state: "cancelled", error: "no longer needed", attempt: 0, reason: null })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "cancelled"])
  }))

  it.effect("cancels a running task when its worker confirms, whatever it reports", () => Effect.gen(function*() {
    for (const outcome of [stopped, failed("interrupted")]) {
      const { session_id, task_id } = yield* running()
      assert.strictEqual(yield* cancel(task_id), "requested")
      assert.strictEqual(yield* cancel(task_id), "requested")
      assert.deepInclude(yield* find(task_id), { state: "running", cancel_requested: true })
      yield* report(task_id, session_id, 1, outcome)
      assert.deepInclude(yield* find(task_id), { state: "cancelled", error: "no longer needed", result: null })
      assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "cancel_requested", "cancelled"])
    }
  }))

  it.effect("prefers the cancellation to a completion that comes after it", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* cancel(task_id)
    const refused = yield* Effect.flip(report(task_id, session_id, 1, completed("too late")))
    assert.strictEqual(refused.message, "the task was cancelled")
    assert.deepInclude(yield* find(task_id), { state: "cancelled", result: null })
  }))

  it.effect("cancels instead of rescuing when the worker is lost meanwhile", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* cancel(task_id)
    yield* release(task_id, session_id, "Lost")
    assert.strictEqual((yield* find(task_id)).state, "cancelled")
  }))

  it.effect("cancels without its worker when nobody confirms in time", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* cancel(task_id)
    assert.deepStrictEqual(yield* overdueNow(task_id), [])
    yield* age(task_id, "cancel_requested_at", 6)
    assert.deepStrictEqual(yield* overdueNow(task_id), [{ task_id, why: "cancel" }])
    yield* overdue(task_id, "cancel")
    assert.strictEqual((yield* find(task_id)).state, "cancelled")
    // The worker's own confirmation, when it comes after all, repeats the record.
    yield* report(task_id, session_id, 1, stopped)
  }))

  it.effect("takes no progress for a task that is to be cancelled", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* cancel(task_id)
    assert.deepStrictEqual(yield* TaskOutcomes.use((outcomes) => outcomes.progress([{ task_id, session_id, attempt: 1, progress: 50, message: null }])), ["cancelled"])
  }))

  it.effect("tries a task again whose attempt took too long, as its retry policy says", () => Effect.gen(function*() {
    const { task_id } = yield* running({ kind: newKind(), retry: { max_retries: 1, base_delay: 0 } })
    yield* age(task_id, "attempt_deadline", 3)
    assert.deepStrictEqual(yield* overdueNow(task_id), [{ task_id, why: "timeout" }])
    yield* overdue(task_id, "timeout")
    assert.deepInclude(yield* find(task_id), { state: "queued", attempt: 1, max_attempts: 2 })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "retrying"])
  }))

  it.effect("ends what is past its deadline, a running task after the time to report it", () => Effect.gen(function*() {
    const waiting = yield* enqueue({ kind: newKind() })
    const { task_id } = yield* running()
    yield* age(waiting, "deadline", 0)
    yield* age(task_id, "deadline", 1)
    yield* age(task_id, "attempt_deadline", 1)
    assert.deepStrictEqual(yield* overdueNow(waiting, task_id), [{ task_id: waiting, why: "deadline" }])
    yield* age(task_id, "deadline", 3)
    yield* age(task_id, "attempt_deadline", 3)
    assert.deepStrictEqual(yield* overdueNow(task_id), [{ task_id, why: "deadline" }])
    yield* overdue(waiting, "deadline")
    yield* overdue(task_id, "deadline")
    assert.deepInclude(yield* find(waiting), { state: "expired", reason: "deadline", error: "the task's deadline passed before a worker could start it" })
    assert.deepInclude(yield* find(task_id), { state: "failed", reason: "deadline", error: "the task's deadline passed before it finished" })
    assert.deepStrictEqual(yield* overdueNow(waiting, task_id), [])
  }))
})

/** A kind whose completion writes a row of its own and then does what the test says. */
const withEffect = Effect.fnUntraced(function*(then: NonNullable<RegisteredKind["onCompleted"]>) {
  const sql = yield* SqlClient.SqlClient
  const kinds = yield* TaskKinds
  const kind = newKind()
  yield* sql`CREATE TABLE IF NOT EXISTS effects_of_tests (task_id text PRIMARY KEY)`
  yield* kinds.register({
    kind,
        onCompleted: (task, result) =>
      sql`INSERT INTO effects_of_tests (task_id) VALUES (${task.task_id})`.pipe(Effect.andThen(then(task, result)))
  })
  const task = yield* running({ kind, payload: "{\"n\": 7}" })
  const written = sql`SELECT 1 FROM effects_of_tests WHERE task_id = ${task.task_id}`.pipe(Effect.map((rows) => rows.length))
  return { ...task, written }
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("the effect of a kind", (it) => {
  it.effect("is committed with the completion, and decides what the result is", () => Effect.gen(function*() {
    const { session_id, task_id, written } = yield* withEffect((task, result) => Effect.succeed(`${task.payload} ${result} checked`))
    yield* report(task_id, session_id, 1, completed("raw"))
    assert.strictEqual((yield* find(task_id)).result, "{\"n\": 7} raw checked")
    assert.strictEqual(yield* written, 1)
    yield* report(task_id, session_id, 1, completed("raw"))
    assert.strictEqual(yield* written, 1, "a repeated report has no effect")
  }))

  it.effect("takes everything back when it fails, and the same report may be tried again", () => Effect.gen(function*() {
    const failures = [new InvalidResult({ message: "result: no" }), new OutcomeEffectError({ kind: "TEST", cause: "no" })]
    for (const failure of failures) {
      let broken = true
      const { session_id, task_id, written } = yield* withEffect((_, result) => broken ? Effect.fail(failure) : Effect.succeed(result))
      assert.strictEqual((yield* Effect.flip(report(task_id, session_id, 1, completed("raw"))))._tag, failure._tag)
      assert.deepInclude(yield* find(task_id), { state: "running", result: null })
      assert.deepStrictEqual([yield* written, yield* eventTypes(task_id)], [0, ["queued", "started"]])
      broken = false
      yield* report(task_id, session_id, 1, completed("raw"))
      assert.deepInclude(yield* find(task_id), { state: "completed", result: "raw" })
    }
  }))

  it.effect("takes everything back when it dies", () => Effect.gen(function*() {
    const { session_id, task_id, written } = yield* withEffect(() => Effect.die(new Error("a mistake of ours")))
    const exit = yield* Effect.exit(report(task_id, session_id, 1, completed("raw")))
    assert.strictEqual(exit._tag, "Failure")
    assert.deepStrictEqual([(yield* find(task_id)).state, yield* written], ["running", 0])
  }))

  it.effect("is not run for failures, nor for a completion that lost against a cancellation", () => Effect.gen(function*() {
    const [one, other] = [yield* withEffect(() => Effect.die("never")), yield* withEffect(() => Effect.die("never"))]
    yield* report(one.task_id, one.session_id, 1, failed("no"))
    yield* cancel(other.task_id)
    yield* Effect.flip(report(other.task_id, other.session_id, 1, completed("late")))
    assert.deepStrictEqual([yield* one.written, yield* other.written], [0, 0])
  }))
})
