/**
 * The engine's repositories on the simulation's tables: what the SQL of packages/api/src/queue says, without lanes of limits,
 * dependencies and unique keys, which these schedules do not use. Whether an attempt may start is asked of the state machine; what ends one is
 * decided by the product's own TaskOutcomes above these.
 */
import { Backpressure } from "@englog/api/queue/Backpressure"
import { ClaimRepo } from "@englog/api/queue/ClaimRepo"
import { LeaseBook } from "@englog/api/queue/LeaseBook"
import { LeaseRepo, LockedTask, EndedTask as EndedRow } from "@englog/api/queue/LeaseRepo"
import { OutcomeRepo, type PlainlyCompleted, type ProgressAnswer } from "@englog/api/queue/OutcomeRepo"
import { QueueSettings } from "@englog/api/queue/QueueSettings"
import { TaskNumbers } from "@englog/api/queue/TaskNumbers"
import { TaskRepo } from "@englog/api/queue/TaskRepo"
import type { SessionId, TaskId, WorkerId } from "@englog/domain/Ids"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { makeTaskNumbers } from "@englog/domain/tasks/TaskNumber"
import { decide } from "@englog/domain/tasks/TaskState"
import { DateTime, Duration, Effect, Layer, Option } from "effect"
import { Statements } from "./Database.ts"
import { type OpenTask, situationOf, type Tables } from "./Tables.ts"

const notModelled = (what: string) => Effect.die(new Error(`the simulation has no ${what}`))

const leaseOf = (row: OpenTask): TaskLease => ({
  task_id: row.task.task_id,
  kind: row.task.kind,
  priority: row.task.priority,
  payload: row.task.payload,
  private_input: null,
  attempt: row.attempt,
  deadline: DateTime.makeUnsafe(row.attempt_deadline ?? row.deadline),
  traceparent: row.task.traceparent,
  organization_id: row.task.organization_id,
  user_id: row.task.user_id
})

const issue = (tables: Tables, row: OpenTask, attempt: number, to: { readonly session_id: SessionId; readonly worker_id: WorkerId }, now: number) => {
  const next: OpenTask = {
    ...row,
    ...to,
    state: "running",
    attempt,
    released_session: null,
    started_at: now,
    progress: 0,
    attempt_deadline: Math.min(row.deadline, now + row.task.attempt_timeout)
  }
  tables.open.set(row.task.task_id, next)
  tables.journal.push({ _tag: "Issued", task_id: row.task.task_id, attempt, session_id: to.session_id, at: now })
  return next
}

const taskRepo = Layer.effect(TaskRepo, Effect.map(Statements, ({ run }) =>
  TaskRepo.of({
    insert: (_, births) =>
      run((tables, now) => {
        const born = new Map<bigint, Date>()
        for (const { holder, task } of births) {
          const row: OpenTask = {
            task,
            state: "queued",
            waits_for: task.delay > 0 ? "time" : null,
            run_at: now + task.delay,
            attempt: 0,
            max_attempts: task.retry.max_retries + 1,
            rescues: 0,
            session_id: null,
            released_session: null,
            lost_sessions: [],
            worker_id: null,
            cancel_requested_at: null,
            cancel_reason: null,
            progress: 0,
            started_at: 0,
            attempt_deadline: null,
            created_at: now,
            deadline: now + task.delay + task.deadline
          }
          tables.open.set(task.task_id, row)
          tables.journal.push({ _tag: "Accepted", task_id: task.task_id })
          if (holder === null) continue
          born.set(task.number, new Date(issue(tables, row, 1, holder, now).attempt_deadline ?? now))
        }
        return born
      }),
    insertUnique: () => notModelled("unique keys"),
    freeKey: () => notModelled("unique keys"),
    findByUniqueKey: () => notModelled("unique keys"),
    find: () => notModelled("view of a task")
  })))

const claimRepo = Layer.effect(ClaimRepo, Effect.gen(function*() {
  const { flaw, run } = yield* Statements
  const book = yield* LeaseBook
  return ClaimRepo.of({
    claim: (claimant) =>
      run((tables, now) => {
        const ready = [...tables.open.values()].filter((row) =>
          claimant.queues.includes(row.task.queue) && claimant.kinds.includes(row.task.kind) && row.deadline > now
          && !row.lost_sessions.some((id) => claimant.lineage.includes(id))
          && (row.waits_for === null && row.state === "queued" || flaw === "claim" && row.state === "running"))
        ready.sort((a, b) => b.task.priority - a.task.priority || (a.task.number < b.task.number ? -1 : 1))
        return ready.slice(0, claimant.slots).flatMap((row) => {
          const decision = decide({ ...situationOf(row), state: "queued" }, { _tag: "Claimed" }, 0)
          if (decision._tag !== "Run") return []
          book.handedOut(row.task.task_id, row.task.kind)
          return [leaseOf(issue(tables, row, decision.attempt, claimant, now))]
        })
      }),
    promoteDue: run((tables, now) => {
      const waiting = [...tables.open.values()].filter((row) => row.waits_for === "time")
      const due = waiting.filter((row) => row.run_at <= now)
      for (const row of due) tables.change(row.task.task_id, { waits_for: null })
      const later = waiting.filter((row) => row.run_at > now).map((row) => row.run_at - now)
      return { promoted: due.length, asking: [], next: later.length === 0 ? null : Math.min(...later) }
    })
  })
}))

const lockedOf = (row: OpenTask, now: number): LockedTask =>
  new LockedTask({
    id: row.task.number,
    task_id: row.task.task_id,
    kind: row.task.kind,
    state: row.state,
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    rescues: row.rescues,
    session_id: row.session_id,
    released_session: row.released_session,
    worker_id: row.worker_id,
    cancel_requested: row.cancel_requested_at !== null,
    cancel_reason: row.cancel_reason,
    progress: row.progress,
    dependents: false,
    limit_key: null,
    followed: false,
    retry: row.task.retry,
    organization_id: row.task.organization_id,
    user_id: row.task.user_id,
    payload: row.task.payload,
    traceparent: row.task.traceparent,
    private_input: null,
    age_seconds: (now - row.created_at) / 1_000
  }, { disableChecks: true })

const leaseRepo = Layer.effect(LeaseRepo, Effect.map(Statements, ({ run }) => {
  const running = (tables: Tables) => [...tables.open.values()].filter((row) => row.state === "running")
  return LeaseRepo.of({
    held: (task_id, session_id, attempt) =>
      run((tables) => {
        const row = tables.open.get(task_id)
        return row !== undefined && row.state === "running" && row.session_id === session_id && (attempt === 0 || row.attempt === attempt)
          ? Option.some(leaseOf(row))
          : Option.none()
      }),
    heldBy: (session_id) =>
      run((tables, now) =>
        tables.runningIn(session_id).map((row) => ({
          task_id: row.task.task_id,
          attempt: row.attempt,
          seconds_held: (now - row.started_at) / 1_000
        }))),
    lock: (task_id) => run((tables, now) => Option.map(Option.fromUndefinedOr(tables.open.get(task_id)), (row) => lockedOf(row, now))),
    ended: (task_id) => run((tables) => Option.map(Option.fromUndefinedOr(tables.ended.get(task_id)), (end) => new EndedRow(end))),
    overdue: (slack, cancelWait) =>
      run((tables, now) =>
        [...tables.open.values()].flatMap((row) => {
          const { task_id } = row.task
          if (row.state === "queued") return row.deadline <= now ? [{ task_id, why: "deadline" as const }] : []
          const cancelled = row.cancel_requested_at ?? Infinity
          const late = (row.attempt_deadline ?? Infinity) <= now - Duration.toMillis(slack) || cancelled <= now - Duration.toMillis(cancelWait)
          if (!late) return []
          return [{ task_id, why: row.cancel_requested_at !== null ? "cancel" : row.deadline <= (row.attempt_deadline ?? 0) ? "deadline" : "timeout" } as const]
        })),
    reportable: (attempts, sessions) =>
      run((tables) =>
        attempts.filter(({ attempt, task_id }) => {
          const row = tables.open.get(task_id)
          return row !== undefined && row.state === "queued" && row.attempt === attempt && row.released_session !== null
            && sessions.includes(row.released_session)
        }).map(({ task_id }) => task_id)),
    holders: run((tables) => [...new Set(running(tables).flatMap(({ session_id }) => session_id === null ? [] : [session_id]))]),
    cancelRequestedIn: (session_ids) =>
      run((tables) =>
        running(tables).flatMap(({ attempt, cancel_reason, cancel_requested_at, session_id, task: { task_id } }) =>
          session_id !== null && cancel_requested_at !== null && session_ids.includes(session_id)
            ? [{ task_id, attempt, session_id, reason: cancel_reason ?? "cancelled" }]
            : []))
  })
}))

const outcomeRepo = Layer.effect(OutcomeRepo, Effect.map(Statements, ({ flaw, run }) =>
  OutcomeRepo.of({
    end: (task, end) =>
      run((tables) => {
        const row = tables.open.get(task.task_id)
        if (row !== undefined) tables.end(task.task_id, { ...end, attempt: row.attempt, session_id: row.session_id ?? row.released_session })
      }),
    requeue: (task, to) =>
      run((tables, now) => {
        const row = tables.open.get(task.task_id)
        if (row === undefined) return
        const delay = Duration.toMillis(to.delay)
        const rescued = to.event === "rescued"
        tables.change(task.task_id, {
          state: "queued",
          run_at: now + delay,
          waits_for: delay > 0 ? "time" : null,
          max_attempts: to.max_attempts,
          rescues: to.rescues,
          session_id: null,
          released_session: rescued ? row.session_id : null,
          lost_sessions: rescued && row.session_id !== null ? [...row.lost_sessions, row.session_id] : row.lost_sessions,
          attempt_deadline: null
        })
        tables.journal.push({
          _tag: "Requeued",
          task_id: task.task_id,
          attempt: row.attempt,
          event: to.event,
          message: to.message,
          rescues: to.rescues
        })
      }),
    requestCancel: (task, reason) =>
      run((tables, now) => {
        if (tables.open.get(task.task_id)?.cancel_requested_at === null) {
          tables.change(task.task_id, { cancel_requested_at: now, cancel_reason: reason })
        }
      }),
    completePlain: (completions) =>
      run((tables, now) => {
        const done = new Map<TaskId, PlainlyCompleted>()
        for (const { attempt, result, session_id, task_id } of completions) {
          const row = tables.open.get(task_id)
          if (row === undefined || row.state !== "running" || (row.cancel_requested_at !== null && flaw !== "cancel")) continue
          if (flaw !== "fence" && (row.attempt !== attempt || row.session_id !== session_id)) continue
          tables.end(task_id, { outcome: "completed", reason: null, error: null, result, attempt: row.attempt, session_id: row.session_id })
          done.set(task_id, {
            task_id,
            kind: row.task.kind,
            traceparent: row.task.traceparent,
            user_id: row.task.user_id,
            worker_id: row.worker_id ?? "",
            attempt: row.attempt,
            age_seconds: (now - row.created_at) / 1_000
          })
        }
        return done
      }),
    progress: (notes) =>
      run((tables) =>
        notes.map(({ attempt, progress, session_id, task_id }): ProgressAnswer => {
          const row = tables.open.get(task_id)
          if (row === undefined || row.state !== "running" || row.session_id !== session_id) return "not_held"
          if (attempt !== 0 && attempt !== row.attempt) return "not_held"
          if (row.cancel_requested_at !== null) return "cancelled"
          if (progress < row.progress) return "behind"
          tables.change(task_id, { progress })
          return "noted"
        }))
  })))

const others = (writer: number) =>
  Layer.mergeAll(
    Layer.succeed(QueueSettings, QueueSettings.of({ current: Effect.succeed(new Map()), set: () => notModelled("settings of queues") })),
    Layer.succeed(Backpressure, Backpressure.of({ within: (_queue, _organization, _count, submit) => submit })),
    Layer.sync(TaskNumbers, () => TaskNumbers.of({ next: makeTaskNumbers(writer) }))
  )

/** `writer` tells the servers apart. */
export const layer = (writer: number) => Layer.mergeAll(taskRepo, claimRepo, leaseRepo, outcomeRepo, others(writer))
