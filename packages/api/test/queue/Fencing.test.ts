import { assert, layer } from "@effect/vitest"
import { TaskId, WorkerId } from "@englog/domain/Ids"
import { Effect, Option } from "effect"
import { LeaseRepo } from "../../src/queue/LeaseRepo.ts"
import type { ProgressNote } from "../../src/queue/OutcomeRepo.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import {
  age, claim, claimant, completed, eventTypes, failed, find, newSession, QueueEngine, release, report, running, stopped
} from "../support/QueueEngine.ts"

/** Why a report was refused. */
const refusal = (...given: Parameters<typeof report>) =>
  report(...given).pipe(Effect.flip, Effect.map((error) => `${error._tag}: ${error.message}`))

const progress = (note: ProgressNote) => TaskOutcomes.use((outcomes) => outcomes.progress([note])).pipe(Effect.map(([answer]) => answer))

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("the fence", (it) => {
  it.effect("accepts the outcome of the attempt that the session holds, by its number or by 0", () => Effect.gen(function*() {
    const [one, other] = [yield* running(), yield* running()]
    yield* report(one.task_id, one.session_id, 1, completed("{\"a\":1}"))
    yield* report(other.task_id, other.session_id, 0, completed("{\"b\":2}"))
    assert.deepInclude(yield* find(one.task_id), { state: "completed", result: "{\"a\":1}", progress: 100, attempt: 1, error: null, worker_id: WorkerId.make("worker-1") })
    assert.deepInclude(yield* find(other.task_id), { state: "completed", result: "{\"b\":2}" })
  }))

  it.effect("refuses another session, another attempt, and a task that does not exist", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    assert.strictEqual(yield* refusal(task_id, newSession(), 1, completed("1")), "NotHeld: this session does not hold the task")
    assert.strictEqual(yield* refusal(task_id, session_id, 2, completed("1")), "NotHeld: attempt 2 is over; the task is at attempt 1")
    assert.strictEqual(yield* refusal(TaskId.make("test_without_a_record"), session_id, 1, completed("1")), "NotHeld: there is no such task")
    assert.strictEqual((yield* find(task_id)).state, "running")
  }))

  it.effect("refuses an earlier attempt of the very session that holds the next one", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    yield* claim(claimant(kind, { session_id }))
    assert.match(yield* refusal(task_id, session_id, 1, completed("old")), /^NotHeld: attempt 1 is over/)
    yield* report(task_id, session_id, 2, completed("new"))
    assert.strictEqual((yield* find(task_id)).result, "new")
  }))

  it.effect("accepts the late outcome of a rescued attempt while nobody has claimed the next one", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    yield* report(task_id, session_id, 1, completed("late"))
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "late", attempt: 1, worker_id: WorkerId.make("worker-1"), rescues: 1 })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "rescued", "completed"])
    yield* report(task_id, session_id, 1, completed("late again"))
    assert.strictEqual((yield* find(task_id)).result, "late")
  }))

  it.effect("accepts it from the session that continues the lost one, by its lineage only", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    assert.match(yield* refusal(task_id, newSession(), 1, completed("stranger"), [newSession()]), /^NotHeld/)
    yield* report(task_id, newSession(), 1, completed("late"), [newSession(), session_id])
    assert.strictEqual((yield* find(task_id)).result, "late")
  }))

  it.effect("refuses it once another worker has claimed the next attempt, or finished it", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    const next = claimant(kind)
    yield* claim(next)
    assert.strictEqual(yield* refusal(task_id, session_id, 1, completed("late")), "NotHeld: this session does not hold the task")
    assert.strictEqual(yield* refusal(task_id, session_id, 0, completed("late")), "NotHeld: this session does not hold the task")
    yield* report(task_id, next.session_id, 2, completed("second"))
    assert.strictEqual(yield* refusal(task_id, session_id, 1, completed("late")), "NotHeld: the task is already completed")
    assert.strictEqual((yield* find(task_id)).result, "second")
  }))

  it.effect("refuses late failures, and everything late from a worker that handed the task back", () => Effect.gen(function*() {
    const [rescued, returned] = [yield* running(), yield* running()]
    yield* release(rescued.task_id, rescued.session_id, "Lost")
    assert.match(yield* refusal(rescued.task_id, rescued.session_id, 1, failed("late")), /waiting for its next attempt/)
    yield* release(returned.task_id, returned.session_id, "HandedBack")
    assert.match(yield* refusal(returned.task_id, returned.session_id, 1, completed("late")), /does not hold/)
    assert.strictEqual((yield* find(returned.task_id)).state, "queued")
  }))

  it.effect("answers an equal report again with yes, and any other with no", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* report(task_id, session_id, 1, completed("first"))
    yield* report(task_id, session_id, 1, completed("second"))
    yield* report(task_id, session_id, 0, completed("third"))
    assert.strictEqual((yield* find(task_id)).result, "first")
    const already = "NotHeld: the task is already completed"
    assert.strictEqual(yield* refusal(task_id, session_id, 1, failed("no")), already)
    assert.strictEqual(yield* refusal(task_id, session_id, 1, stopped), already)
    assert.strictEqual(yield* refusal(task_id, session_id, 2, completed("x")), already)
    assert.strictEqual(yield* refusal(task_id, newSession(), 1, completed("x")), already)
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "completed"])
  }))

  it.effect("records one outcome of many equal reports that arrive at once", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* Effect.all(Array.from({ length: 8 }, () => report(task_id, session_id, 1, completed("once"))), { concurrency: "unbounded" })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "completed"])
  }))

  it.effect("lets one of many different reports win", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    const answers = yield* Effect.forEach(
      [completed("1"), failed("2"), stopped],
      (outcome) => Effect.exit(report(task_id, session_id, 1, outcome)),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(answers.filter((answer) => answer._tag === "Success").length, 1)
    assert.strictEqual((yield* eventTypes(task_id)).length, 3)
  }))

  it.effect("takes progress from the holder only, and never backwards", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    const step = { task_id, session_id, attempt: 1, progress: 40, message: "reading" }
    assert.strictEqual(yield* progress(step), "noted")
    assert.strictEqual(yield* progress({ ...step, attempt: 0, message: "still reading" }), "noted")
    assert.strictEqual(yield* progress({ ...step, progress: 25, message: "reading again" }), "behind")
    assert.deepInclude(yield* find(task_id), { progress: 40, message: "still reading" })
    assert.strictEqual(yield* progress({ ...step, session_id: newSession() }), "not_held")
    assert.strictEqual(yield* progress({ ...step, attempt: 2 }), "not_held")
    yield* release(task_id, session_id, "Lost")
    assert.strictEqual(yield* progress(step), "not_held")
    yield* report(task_id, session_id, 1, completed("1"))
    assert.strictEqual(yield* progress(step), "not_held")
  }))

  it.effect("does not take a task from a session that holds it no longer", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    const next = claimant(kind)
    yield* claim(next)
    yield* release(task_id, session_id, "Lost")
    yield* release(task_id, session_id, "HandedBack")
    yield* release(task_id, next.session_id, "HandedBack", 1)
    assert.deepInclude(yield* find(task_id), { state: "running", attempt: 2, rescues: 1 })
  }))

  it.effect("says which lost attempts may still be reported", () => Effect.gen(function*() {
    const leases = yield* LeaseRepo
    const [lost, held, claimed] = [yield* running(), yield* running(), yield* running()]
    for (const task of [lost, claimed]) yield* release(task.task_id, task.session_id, "Lost")
    yield* claim(claimant(claimed.kind))
    const attempts = [lost, held, claimed].map(({ task_id }) => ({ task_id, attempt: 1 }))
    const sessions = [lost, held, claimed].map(({ session_id }) => session_id)
    assert.deepStrictEqual(yield* leases.reportable(attempts, sessions), [lost.task_id])
    assert.deepStrictEqual(yield* leases.reportable(attempts, [newSession()]), [])
    assert.deepStrictEqual(yield* leases.reportable([{ task_id: lost.task_id, attempt: 2 }], sessions), [])
  }))

  it.effect("refuses an outcome that arrives after the deadline was recorded", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const { session_id, task_id } = yield* running()
    yield* age(task_id, "attempt_deadline", 10)
    yield* outcomes.overdue(task_id, "deadline")
    assert.strictEqual(yield* refusal(task_id, session_id, 1, completed("late")), "NotHeld: the task is already failed")
    assert.isTrue(Option.isNone(yield* LeaseRepo.use((leases) => leases.held(task_id, session_id, 0))))
  }))
})
