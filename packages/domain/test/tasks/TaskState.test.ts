import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as fc from "fast-check"
import { decide, isTerminal, MAX_RESCUES, type TaskEvent, toPublicState } from "../../src/tasks/TaskState.ts"
import {
  arbitraryEvent, arbitrarySituation, arbitraryTrouble, ended, isEnd, live, patient, situation
} from "./fixtures.ts"

const on = (event: TaskEvent, parts: Parameters<typeof situation>[0] = {}) => decide(situation(parts), event, 0)
const claimed: TaskEvent = { _tag: "Claimed" }
const lost: TaskEvent = { _tag: "Lost" }
const failed: TaskEvent = { _tag: "Failed", retryable: true }
const completed: TaskEvent = { _tag: "Completed" }
const queued = { state: "queued", attempt: 0 } as const

describe("a queued task", () => {
  it("runs as its next attempt when it is claimed", () => {
    assert.deepStrictEqual(on(claimed, queued), { _tag: "Run", attempt: 1 })
    assert.deepStrictEqual(on(claimed, { ...queued, attempt: 7 }), { _tag: "Run", attempt: 8 })
  })

  it("is cancelled at once, and expires at its deadline", () => {
    assert.deepStrictEqual(on({ _tag: "CancelRequested" }, queued), { _tag: "End", state: "cancelled" })
    assert.deepStrictEqual(on({ _tag: "CancelForced" }, queued), { _tag: "End", state: "cancelled" })
    assert.deepStrictEqual(on({ _tag: "DeadlinePassed" }, queued), { _tag: "End", state: "expired" })
  })

  it("takes the completion that a resumed worker hands in late, and no other outcome of an attempt that is over", () => {
    assert.deepStrictEqual(on(completed, { state: "queued", attempt: 1, rescues: 1 }), { _tag: "End", state: "completed" })
    for (const event of [failed, lost, { _tag: "Stopped" }, { _tag: "HandedBack" }] as const) {
      assert.strictEqual(on(event, { state: "queued", attempt: 1 })._tag, "Refuse")
    }
  })
})

describe("a running task", () => {
  it("cannot be claimed again", () => assert.strictEqual(on(claimed)._tag, "Refuse"))

  it("ends with its worker's completion", () => assert.deepStrictEqual(on(completed), { _tag: "End", state: "completed" }))

  it("is retried after a reported failure while tries are left, and not one more time", () => {
    assert.deepStrictEqual(on(failed, { attempt: 3 }), {
      _tag: "Requeue", cause: "retry", delay: Duration.millis(240_000), max_attempts: 4, rescues: 0
    })
    assert.deepStrictEqual(on(failed, { attempt: 4 }), { _tag: "Fail", reason: "error" })
  })

  it("is not retried when its worker says that no attempt can succeed", () =>
    assert.deepStrictEqual(on({ _tag: "Failed", retryable: false }), { _tag: "Fail", reason: "error" }))

  it("waits as long as its worker says before it is retried, where its policy would not wait longer, and a day at most", () => {
    const delayOf = (retry_after: number) => {
      const decision = on({ ...failed, retry_after }, { attempt: 3 })
      return decision._tag === "Requeue" ? Duration.toMillis(decision.delay) : undefined
    }
    assert.deepStrictEqual([0, 1_000, 500_000, 1e12, -1].map(delayOf), [240_000, 240_000, 500_000, 86_400_000, 240_000])
  })

  it("keeps its tries after a failure that does not count, and waits exactly as long as it is told", () => {
    assert.deepStrictEqual(on({ ...failed, counted: false, retry_after: 5_000 }, { attempt: 4 }), {
      _tag: "Requeue", cause: "retry", delay: Duration.millis(5_000), max_attempts: 5, rescues: 0
    })
    assert.deepStrictEqual(on({ _tag: "Failed", retryable: false, counted: false }), { _tag: "Fail", reason: "error" })
  })

  it("fails at its deadline", () =>
    assert.deepStrictEqual(on({ _tag: "DeadlinePassed" }), { _tag: "Fail", reason: "deadline" }))

  it("goes back at once when its worker is lost or leaves, without using up a try", () => {
    assert.deepStrictEqual(on(lost, { max_attempts: 1 }), {
      _tag: "Requeue", cause: "rescue", delay: Duration.zero, max_attempts: 2, rescues: 1
    })
    assert.deepStrictEqual(on({ _tag: "HandedBack" }, { max_attempts: 1, rescues: 2 }), {
      _tag: "Requeue", cause: "handed-back", delay: Duration.zero, max_attempts: 2, rescues: 2
    })
  })

  it("waits for its worker when it is to be cancelled; then every end is a cancellation, a late completion too", () => {
    assert.deepStrictEqual(on({ _tag: "CancelRequested" }), { _tag: "AwaitCancel" })
    assert.deepStrictEqual(on({ _tag: "CancelRequested" }, { cancel_requested: true }), { _tag: "AwaitCancel" })
    for (const event of [completed, failed, lost, { _tag: "Stopped" }, { _tag: "HandedBack" }, { _tag: "CancelForced" }, { _tag: "DeadlinePassed" }] as const) {
      assert.deepStrictEqual(on(event, { cancel_requested: true }), { _tag: "End", state: "cancelled" })
    }
  })
})

describe("rescues", () => {
  it("are followed by failure at the third in a row", () => {
    const life = live(situation(), [lost, claimed, lost, claimed, lost])
    assert.deepStrictEqual(life.last, { _tag: "Fail", reason: "lost" })
    assert.strictEqual(MAX_RESCUES, 3)
  })

  it("are in a row only until a worker reports something", () => {
    const life = live(situation(), [lost, claimed, lost, claimed, failed, claimed, lost, claimed, lost])
    assert.strictEqual(life.now.state, "queued")
    assert.strictEqual(life.now.rescues, 2)
  })

  it("leave the policy's retries untouched", () => {
    const retries = (events: ReadonlyArray<TaskEvent>) =>
      live(situation(), events).decisions.filter((decision) => decision._tag === "Requeue" && decision.cause === "retry").length
    const tries = [failed, claimed, failed, claimed, failed, claimed, failed]
    assert.strictEqual(retries(tries), patient.max_retries)
    assert.strictEqual(retries([lost, claimed, ...tries]), patient.max_retries)
    assert.strictEqual(retries([failed, claimed, lost, claimed, failed, claimed, lost, claimed, failed, claimed, failed]), patient.max_retries)
  })
})

describe("always", () => {
  it("decides every event in every situation", () => {
    fc.assert(fc.property(arbitrarySituation, arbitraryEvent, fc.double({ min: 0, max: 1, noNaN: true }), (now, event, random) => {
      const decision = decide(now, event, random)
      assert.include(["Refuse", "Run", "AwaitCancel", "Requeue", "End", "Fail"], decision._tag)
      if (decision._tag === "Requeue") assert.isAtMost(Duration.toMillis(decision.delay), now.retry.max_delay)
      if (decision._tag === "Refuse") assert.isNotEmpty(decision.why)
    }))
  })

  it("leaves a task that has ended as it is", () => {
    fc.assert(fc.property(arbitrarySituation, arbitraryEvent, fc.constantFrom(...ended), (now, event, state) => {
      const decision = decide({ ...now, state }, event, 0.5)
      assert.strictEqual(decision._tag, "Refuse")
      assert.isTrue(isTerminal(state))
    }))
  })

  it("never lets a cancelled-for task complete, fail or go back to the queue", () => {
    fc.assert(fc.property(arbitrarySituation, arbitraryEvent, (now, event) => {
      const decision = decide({ ...now, state: "running", cancel_requested: true }, event, 0.5)
      assert.isFalse(decision._tag === "Requeue" || decision._tag === "Fail" || (decision._tag === "End" && decision.state !== "cancelled"))
    }))
  })

  it("gives a task one end at most, as many retries as its policy has, and never three rescues in a row", () => {
    const life = fc.array(arbitraryTrouble, { maxLength: 60 })
    fc.assert(fc.property(life, fc.integer({ min: 0, max: 5 }), (events, max_retries) => {
      const start = situation({ state: "queued", attempt: 0, max_attempts: max_retries + 1, retry: { ...patient, max_retries } })
      const { decisions, now } = live(start, events)
      const runs = decisions.flatMap((decision) => decision._tag === "Run" ? [decision.attempt] : [])
      const requeued = (cause: string) => decisions.filter((decision) => decision._tag === "Requeue" && decision.cause === cause).length
      assert.isAtMost(decisions.filter(isEnd).length, 1)
      assert.deepStrictEqual(runs, runs.map((_, index) => index + 1), "each claim is the next attempt")
      assert.isAtMost(requeued("retry"), max_retries)
      assert.isBelow(now.rescues, MAX_RESCUES)
      assert.strictEqual(now.max_attempts, start.max_attempts + requeued("rescue") + requeued("handed-back"))
      assert.isAtMost(now.attempt, now.max_attempts)
    }), { numRuns: 500 })
  })
})

describe("what people see", () => {
  it("calls waiting pending and expired failed", () => {
    assert.deepStrictEqual(
      (["queued", "running", "completed", "failed", "cancelled", "expired"] as const).map(toPublicState),
      ["pending", "running", "completed", "failed", "cancelled", "failed"]
    )
  })
})
