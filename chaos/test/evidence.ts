/** Evidence of a run in which nothing is wrong: two tasks, one of them rescued once and followed by a subscriber. */
import type { Evidence, StoredTask } from "../Evidence.ts"
import type { HandlerLine } from "../HandlerLog.ts"
import type { LeaseChange, OutcomeChange } from "../LeaseAudit.ts"

export const stored = (task: string, parts: Partial<StoredTask> = {}): StoredTask => ({
  task,
  kind: "INSIGHT_GENERATION",
  outcome: "completed",
  attempt: 1,
  max_retries: 0,
  unique_key: null,
  deadline: 300_000,
  completed_at: 9_000,
  open: false,
  made_by: 1,
  effects: 1,
  ...parts
})

let n = 0
export const lease = (task: string, what: LeaseChange["what"], attempt: number, at: number, parts: Partial<LeaseChange> = {}): LeaseChange =>
  ({ n: n++, at, task, what, attempt, worker: `worker-${attempt}`, session: `session-${attempt}`, lease_valid: true, ...parts })

export const handled = (task: string, what: HandlerLine["what"], attempt: number, mono: number, worker = `worker-${attempt}`): HandlerLine =>
  ({ worker, pid: 1, task, attempt, what, mono })

export const ended = (task: string, at: number, attempt: number, parts: Partial<OutcomeChange> = {}): OutcomeChange =>
  ({ n: n++, at, task, before: null, after: "completed", attempt, ...parts })

export const steps = (...types: ReadonlyArray<readonly [type: string, attempt: number]>) =>
  types.map(([type, attempt], index) => ({ seq: index + 1, type, attempt }))

const rescued = steps(["queued", 0], ["started", 1], ["progress", 1], ["rescued", 1], ["started", 2], ["completed", 2])

export const sound: Evidence = {
  acknowledged: [{ task: "plain", after: [], unique_key: "k" }, { task: "rescued", after: ["plain"], unique_key: null }],
  cancels: [],
  blunders: [],
  received: rescued.map(({ seq, type }) => ({ subscriber: "sse-1", task: "rescued", seq, type })),
  subscriptions: [{ subscriber: "sse-1", task: "rescued" }],
  handlers: [
    handled("plain", "start", 1, 100),
    handled("plain", "finish", 1, 200),
    handled("rescued", "start", 1, 400),
    handled("rescued", "start", 2, 2_500),
    handled("rescued", "finish", 2, 2_600)
  ],
  tasks: [stored("plain", { unique_key: "k" }), stored("rescued", { attempt: 2, made_by: 2 })],
  histories: new Map([["plain", steps(["queued", 0], ["started", 1], ["completed", 1])], ["rescued", rescued]]),
  leases: [
    lease("plain", "claim", 1, 1_090),
    lease("plain", "release", 1, 1_210),
    lease("rescued", "claim", 1, 1_390),
    lease("rescued", "release", 1, 3_400, { lease_valid: false }),
    lease("rescued", "claim", 2, 3_450),
    lease("rescued", "release", 2, 3_610)
  ],
  outcomes: [ended("plain", 1_210, 1), ended("rescued", 3_610, 2)],
  healedAt: 5_000,
  clockOffset: 1_000,
  accidents: []
}

/** The same, with one task's record changed. */
export const withTask = (task: string, parts: Partial<StoredTask>): Evidence => ({
  ...sound,
  tasks: sound.tasks.map((one) => one.task === task ? { ...one, ...parts } : one)
})
