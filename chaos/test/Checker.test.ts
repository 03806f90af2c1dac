/** Each rule is broken once, by a violation planted in evidence that is sound otherwise. */
import { assert, describe, it } from "@effect/vitest"
import { check } from "../Checker.ts"
import type { Evidence } from "../Evidence.ts"
import { ended, handled, lease, sound, steps, withTask } from "./evidence.ts"

const rulesBrokenBy = (evidence: Evidence) => [...new Set(check(evidence).map(({ rule }) => rule))]

const finds = (what: string, rule: string, evidence: Evidence) =>
  it(`finds ${what}`, () => assert.include(rulesBrokenBy(evidence), rule))

describe("the checker", () => {
  it("has nothing to say about a sound run", () => assert.deepStrictEqual(check(sound), []))

  finds("an acknowledged task that nobody knows", "acknowledged_exists", {
    ...sound,
    acknowledged: [...sound.acknowledged, { task: "lost", after: [], unique_key: null }]
  })
  finds("a unique key that was answered with another task", "unique_keys_hold", {
    ...sound,
    acknowledged: [...sound.acknowledged, { task: "rescued", after: [], unique_key: "k" }]
  })
  finds("a unique key that two tasks have", "unique_keys_hold", withTask("rescued", { unique_key: "k" }))
  finds("a terminal record that was written over", "one_terminal_record", {
    ...sound,
    outcomes: [...sound.outcomes, ended("plain", 4_000, 1, { before: "completed", after: "failed" })]
  })
  finds("a task that has ended and is in the queue", "one_terminal_record", withTask("plain", { open: true }))
  finds("an attempt issued after the one that decided", "highest_attempt_decides", {
    ...sound,
    leases: [...sound.leases, lease("plain", "claim", 2, 4_000)]
  })
  finds("a handler that ran a higher attempt than the record knows", "highest_attempt_decides", {
    ...sound,
    handlers: [...sound.handlers, handled("plain", "start", 2, 4_000)]
  })
  finds("a task that never ended", "ended_in_time", withTask("plain", { outcome: null, attempt: null, completed_at: null, open: true }))
  finds("a task that ended too late", "ended_in_time", withTask("plain", { completed_at: 300_000 + 60_001 }))
  finds("more attempts than policy and rescues allow", "attempts_bounded", {
    ...sound,
    histories: new Map([...sound.histories, ["rescued", steps(["queued", 0], ["started", 1], ["retrying", 1], ["started", 2], ["completed", 2])]])
  })
  finds("the result of an earlier attempt in the record", "result_of_its_attempt", withTask("rescued", { made_by: 1 }))
  finds("a completion that no handler reached", "result_of_its_attempt", {
    ...sound,
    handlers: sound.handlers.filter(({ attempt, what }) => attempt !== 2 || what !== "finish")
  })
  finds("an effect that happened twice", "effects_once", withTask("plain", { effects: 2 }))
  finds("an effect of a cancelled task", "effects_once", withTask("plain", { outcome: "cancelled" }))
  finds("a client that was told of an internal error", "no_internal_errors", { ...sound, blunders: [{ asked: "SubmitTask", answer: "internal error" }] })
  finds("a task that finished after its cancel was acknowledged", "cancel_or_finish", { ...sound, cancels: [{ task: "plain", state: "running" }] })
  finds("two leases at once", "leases_do_not_overlap", {
    ...sound,
    leases: sound.leases.filter(({ attempt, task, what }) => task !== "rescued" || attempt !== 1 || what !== "release")
  })
  finds("an attempt number that was issued twice", "leases_do_not_overlap", {
    ...sound,
    leases: [...sound.leases, lease("plain", "claim", 1, 4_000), lease("plain", "release", 1, 4_100)]
  })
  finds("a rescue from a worker with a valid lease that is at work", "rescued_from_the_lost", {
    ...sound,
    leases: sound.leases.map((change) => ({ ...change, lease_valid: true }))
  })
  finds("an attempt that was run twice", "attempts_run_once", {
    ...sound,
    handlers: [...sound.handlers, handled("plain", "start", 1, 4_000)]
  })
  finds("an attempt that was run by a worker that it was not issued to", "attempts_run_once", {
    ...sound,
    handlers: sound.handlers.map((line) => line.task === "plain" ? { ...line, worker: "worker-9" } : line)
  })
  finds("a child that started before its parent had ended", "children_after_parents", {
    ...sound,
    outcomes: sound.outcomes.map((change) => change.task === "plain" ? { ...change, at: 1_400 } : change)
  })
  finds("a child that went on though its parent failed", "children_after_parents", {
    ...withTask("plain", { outcome: "failed" }),
    leases: sound.leases.filter(({ task }) => task === "plain")
  })
  it("lets a child expire at its own deadline while its parent has not completed, and not before", () => {
    const childless = { ...withTask("plain", { outcome: "failed" }), leases: sound.leases.filter(({ task }) => task === "plain") }
    const expiredAt = (completed_at: number) => ({
      ...childless,
      tasks: childless.tasks.map((one) => one.task === "rescued" ? { ...one, outcome: "expired", completed_at } : one)
    })
    assert.notInclude(rulesBrokenBy(expiredAt(300_000)), "children_after_parents")
    assert.include(rulesBrokenBy(expiredAt(299_000)), "children_after_parents")
  })
  finds("a gap in a history", "history_whole", {
    ...sound,
    histories: new Map([...sound.histories, ["plain", [{ seq: 1, type: "queued", attempt: 0 }, { seq: 3, type: "completed", attempt: 1 }]]])
  })
  finds("a history that both finished and was cancelled", "history_whole", {
    ...sound,
    histories: new Map([...sound.histories, ["plain", steps(["queued", 0], ["started", 1], ["cancelled", 1], ["completed", 1])]])
  })
  finds("a history without the start of an attempt", "history_whole", {
    ...sound,
    histories: new Map([...sound.histories, ["plain", steps(["queued", 0], ["completed", 1])]])
  })
  finds("a subscriber that missed a step", "subscribers_saw_all", { ...sound, received: sound.received.filter(({ seq }) => seq !== 3) })
  finds("a subscriber that saw a step twice", "subscribers_saw_all", { ...sound, received: [...sound.received, ...sound.received.slice(-1)] })
  finds("a subscriber that saw nothing", "subscribers_saw_all", { ...sound, received: [] })
  finds("a process that ended by itself", "nobody_gives_up", { ...sound, accidents: ["api-0 ended by itself with 1"] })
})
