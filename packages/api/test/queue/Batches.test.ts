import { assert, layer } from "@effect/vitest"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { TaskEndings } from "../../src/queue/TaskEndings.ts"
import { TaskKinds } from "../../src/queue/TaskKinds.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import {
  claim, claimant, completed, eventTypes, failed, find, newKind, newSession, newSubmission, QueueEngine, release, stopped
} from "../support/QueueEngine.ts"

/** Some tasks of one kind, all held by one session. */
const held = Effect.fnUntraced(function*(count: number, kind = newKind()) {
  const submission = yield* newSubmission({ kind })
  yield* (yield* TaskQueue).submitAll(Array.from({ length: count }, () => submission))
  const worker = claimant(kind, { slots: count })
  return { kind, worker, session: { id: worker.session_id, lineage: [] }, leases: yield* claim(worker) }
})

const reports = (session_id: ReturnType<typeof newSession>, leases: ReadonlyArray<TaskLease>, attempt?: number) =>
  leases.map((lease) => ({ task_id: lease.task_id, session_id, attempt: attempt ?? lease.attempt, outcome: completed("{\"n\":1}") }))

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("many reports at once", (it) => {
  it.effect("are answered each for itself, in their order", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const { leases, session } = yield* held(6)
    const [plain, failing, confirming, foreign, old, again] = reports(session.id, leases)
    if (!plain || !failing || !confirming || !foreign || !old || !again) return yield* Effect.die("six tasks were queued")
    const answers = yield* outcomes.reportAll(session, [
      plain,
      { ...failing, outcome: failed("no") },
      { ...confirming, outcome: stopped },
      { ...foreign, session_id: newSession() },
      { ...old, attempt: 2 },
      again,
      again
    ])
    assert.deepStrictEqual(answers.map(({ _tag }) => _tag), ["Accepted", "Accepted", "Accepted", "Refused", "Refused", "Accepted", "Accepted"])
    const states = yield* Effect.forEach(leases, (lease) => Effect.map(find(lease.task_id), (task) => task.state))
    assert.deepStrictEqual(states, ["completed", "failed", "cancelled", "running", "running", "completed"])
    assert.deepInclude(yield* find(plain.task_id), { result: "{\"n\":1}", progress: 100, attempt: 1 })
    assert.deepStrictEqual(yield* eventTypes(plain.task_id), ["queued", "started", "completed"])
  }))

  it.effect("complete nothing that was cancelled meanwhile", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const { leases, session } = yield* held(2)
    const [first] = leases
    if (first === undefined) return yield* Effect.die("two tasks were queued")
    yield* outcomes.cancel(first.task_id, "no longer needed")
    const answers = yield* outcomes.reportAll(session, reports(session.id, leases))
    assert.deepStrictEqual(answers.map(({ _tag }) => _tag), ["Refused", "Accepted"])
    assert.strictEqual((yield* find(first.task_id)).state, "cancelled")
  }))

  it.effect("of an organization whose endings somebody follows are told, from the moment at which that is committed, though they were handed out before", () =>
    Effect.gen(function*() {
      const outcomes = yield* TaskOutcomes
      const sql = yield* SqlClient.SqlClient
      const told: Array<string> = []
      yield* (yield* TaskEndings).follow(({ result, state, task }) => Effect.sync(() => void told.push(`${task.task_id} ${state} ${result}`)))
      const [followed, other] = [yield* held(3), yield* held(3)]
      const [one] = followed.leases
      if (one === undefined) return yield* Effect.die("three tasks were queued")
      yield* sql`
        INSERT INTO webhook_endpoints (id, organization_id, user_id, url, max_retries)
        VALUES (${randomUUID()}, ${one.organization_id}, ${one.user_id}, ${`v1:k1:${"x".repeat(40)}`}, 1)`
      for (const { leases, session } of [followed, other]) {
        const answers = yield* outcomes.reportAll(session, reports(session.id, leases))
        assert.deepStrictEqual(answers.map(({ _tag }) => _tag), ["Accepted", "Accepted", "Accepted"])
      }
      assert.deepStrictEqual(told, followed.leases.map(({ task_id }) => `${task_id} completed {"n":1}`))
    }))

  it.effect("are judged by their kind: a wrong shape is told, the others go through", () => Effect.gen(function*() {
    const [outcomes, kinds] = [yield* TaskOutcomes, yield* TaskKinds]
    const { kind, leases, session } = yield* held(3)
    yield* kinds.register({
      kind,
      problem: (result) => result.includes("wrong") ? "result.n: expected a number" : undefined
    })
    const [one, two, three] = reports(session.id, leases)
    if (!one || !two || !three) return yield* Effect.die("three tasks were queued")
    const answers = yield* outcomes.reportAll(session, [one, { ...two, outcome: completed("\"wrong\"") }, three])
    assert.deepStrictEqual(answers, [{ _tag: "Accepted" }, { _tag: "Invalid", message: "result.n: expected a number" }, { _tag: "Accepted" }])
    assert.strictEqual((yield* find(two.task_id)).state, "running")
  }))

  it.effect("accept none of ten thousand that are stale", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const sql = yield* SqlClient.SqlClient
    const { kind, leases, session, worker } = yield* held(500)
    for (const lease of leases) yield* release(lease.task_id, session.id, "HandedBack")
    const next = { ...worker, session_id: newSession() }
    yield* claim(next)
    let accepted = 0
    for (let round = 0; round < 10; round++) {
      const stale = reports(session.id, leases, 1)
      const failing = stale.map((one) => ({ ...one, outcome: failed("late") }))
      const answers = yield* outcomes.reportAll(session, round % 2 === 0 ? stale : failing)
      accepted += answers.filter(({ _tag }) => _tag === "Accepted").length
      const notes = stale.map(({ attempt, session_id, task_id }) => ({ task_id, session_id, attempt, progress: 50, message: null }))
      accepted += (yield* outcomes.progress(notes)).filter((answer) => answer !== "not_held").length
    }
    assert.strictEqual(accepted, 0)
    const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM task_queue WHERE kind = ${kind} AND state = 'running' AND attempt = 2 AND progress = 0`
    assert.strictEqual(row?.n, 500)
  }), 120_000)

  it.effect("note progress in the order it was made, also of one task", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const { leases, session } = yield* held(2)
    const [one, other] = leases
    if (one === undefined || other === undefined) return yield* Effect.die("two tasks were queued")
    const note = (lease: TaskLease, progress: number) =>
      ({ task_id: lease.task_id, session_id: session.id, attempt: 1, progress, message: `${progress} %` })
    const answers = yield* outcomes.progress([note(one, 10), note(other, 20), note(one, 30), note(one, 20), note(other, 40)])
    assert.deepStrictEqual(answers, ["noted", "noted", "noted", "behind", "noted"])
    assert.deepInclude(yield* find(one.task_id), { progress: 30, message: "30 %" })
    assert.deepStrictEqual(yield* eventTypes(one.task_id), ["queued", "started", "progress", "progress"])
  }))
})
