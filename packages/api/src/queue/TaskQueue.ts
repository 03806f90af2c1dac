/**
 * Submission: a noun hands in a kind and a payload; a task is accepted once its transaction has committed. Submissions that
 * arrive together share a commit; one that meets an empty queue and a free slot goes to its worker with that commit.
 */
import { type OrganizationId, TaskId, type UserId } from "@englog/domain/Ids"
import type { NewTask, TaskLease, TaskLimit } from "@englog/domain/tasks/Task"
import { inTaskId } from "@englog/domain/tasks/TaskNumber"
import type { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { randomHex } from "@englog/platform/RandomHex"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { currentTraceparent } from "@englog/platform/telemetry/TraceContext"
import { Clock, Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import { Backpressure, type QueueFull } from "./Backpressure.ts"
import * as Batcher from "./Batcher.ts"
import { EngineSql } from "./EngineSql.ts"
import { HandOff } from "./HandOff.ts"
import { LeaseBook } from "./LeaseBook.ts"
import { type DependencyProblem, link } from "./TaskDependencies.ts"
import * as TaskLimits from "./TaskLimits.ts"
import { TaskNumbers } from "./TaskNumbers.ts"
import { type Birth, plainBirth, TaskRepo } from "./TaskRepo.ts"
import { Wakeups } from "./Wakeups.ts"

export interface Submission {
  readonly kind: string
  /** First part of the readable task id, e.g. `insight`. */
  readonly prefix: string
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  /** JSON text of the kind's payload. */
  readonly payload: string
  /** See NewTask. */
  readonly private_input: string | null
  readonly policy: TaskPolicy
  /** See NewTask for these; none of them by default. */
  readonly name?: string | null
  readonly delay?: number
  readonly unique_key?: string | null
  readonly limit?: TaskLimit | null
  readonly after?: ReadonlyArray<TaskId>
  readonly parent?: TaskId | null
  /** It follows from a task that was accepted, and is not refused for want of room. */
  readonly followUp?: boolean
}

export interface Accepted {
  readonly task_id: TaskId
  /** False: its unique key was taken, and this is the task that has it. */
  readonly created: boolean
}

export type SubmissionError = QueueFull | DependencyProblem | SqlError

export class TaskQueue extends Context.Service<TaskQueue, {
  /** Accepts a task: answered once it is committed. */
  readonly submit: (submission: Submission) => Effect.Effect<TaskId, SubmissionError>
  /** Accepts a task unless an open one has its unique key; one that has ended or is to be cancelled gives the key up. */
  readonly submitUnlessOpen: (submission: Submission & { readonly unique_key: string }) => Effect.Effect<Accepted, SubmissionError>
  /** Accepts all of them or none, in one commit; later ones may wait for earlier ones by `after` only across calls. */
  readonly submitAll: (submissions: ReadonlyArray<Submission>) => Effect.Effect<ReadonlyArray<Accepted>, SubmissionError>
  /** Accepts a task with what the caller's own transaction writes: both are committed, or neither. */
  readonly enlist: (submission: Submission) => Effect.Effect<Accepted, SubmissionError>
  /** Likewise a parent that starts when all its children have ended, however they did; answers the children in their order. None of them has a unique key. */
  readonly enlistFamily: (parent: Submission, children: ReadonlyArray<Submission>) => Effect.Effect<
    { readonly parent: TaskId; readonly children: ReadonlyArray<TaskId> },
    SubmissionError
  >
}>()("@englog/api/queue/TaskQueue") {
  static readonly layer = Layer.effect(
    TaskQueue,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const engine = yield* EngineSql
      const repo = yield* TaskRepo
      const numbers = yield* TaskNumbers
      const wakeups = yield* Wakeups
      const handOff = yield* HandOff
      const book = yield* LeaseBook
      const backpressure = yield* Backpressure

      /** In one statement; whatever cannot be handed over wakes the dispatchers. */
      const insertPlain = Effect.fnUntraced(function*(tasks: ReadonlyArray<NewTask>) {
        const keeper = yield* handOff.keeper
        const births = tasks.map((task): Birth => {
          const holder = task.delay === 0 ? keeper.reserve(task) : undefined
          return holder === undefined ? plainBirth(task) : { ...plainBirth(task), holder }
        })
        const born = yield* repo.insert(engine, births).pipe(
          Effect.onError(() => Effect.forEach(births, ({ holder, task }) => holder === null ? Effect.void : keeper.giveBack(holder, task.task_id), { discard: true }))
        )
        for (const { holder, task } of births) {
          const until = born.get(task.number)
          if (holder === null || until === undefined) continue
          book.handedOut(task.task_id, task.kind)
          yield* keeper.deliver(holder, leaseOf(task, until))
        }
        if (tasks.some(({ delay }) => delay > 0)) yield* wakeups.wake("delayed")
        if (tasks.some(({ delay, number }) => delay === 0 && !born.has(number))) yield* wakeups.wake("tasks")
        return tasks
      })
      const insert = yield* Batcher.make({
        inFlight: 2,
        maxSize: 500,
        run: insertPlain,
        concernsAll: (error: SqlError) => outageOf(error) !== undefined
      })

      /** Asks for permits and for what comes first, inside the caller's transaction. False where its unique key is taken. */
      const insertSpecial = Effect.fnUntraced(function*(task: NewTask) {
        const pending_tasks = task.after.length === 0 ? 0 : yield* link(sql, task.organization_id, task.number, task.after, task.whateverEnd)
        const permit = task.limit === null
          ? { admitted: false, delay: task.delay }
          : yield* TaskLimits.reserve(sql, task.organization_id, task.limit, task.delay)
        const waitsForPermit = task.limit !== null && permit.delay === 0 && !permit.admitted
        const birth: Birth = {
          ...plainBirth({ ...task, delay: permit.delay }),
          pending_tasks,
          admitted: pending_tasks === 0 && permit.admitted,
          waits_for: pending_tasks > 0 ? "tasks" : waitsForPermit ? "limit" : null
        }
        if (task.unique_key === null) return yield* Effect.as(repo.insert(sql, [birth]), true)
        return yield* repo.insertUnique(sql, birth)
      })

      /** What a task without its key has asked for is undone with a savepoint: nobody may wait for it, and no turn may be its own. */
      const insertUnlessTaken = (task: NewTask): Effect.Effect<boolean, DependencyProblem | SqlError> =>
        task.unique_key === null
          ? insertSpecial(task)
          : sql.withTransaction(Effect.filterOrFail(insertSpecial(task), (inserted) => inserted, () => new KeyTaken())).pipe(
            Effect.catchTag("KeyTaken", () => Effect.succeed(false))
          )

      /** The task that has the key; it may be removed between two looks, and then the key is free. */
      const insertOrFind = (task: NewTask): Effect.Effect<Accepted, DependencyProblem | SqlError> =>
        Effect.gen(function*() {
          if (task.unique_key !== null) {
            const first = yield* repo.findByUniqueKey(sql, task.organization_id, task.kind, task.unique_key)
            if (Option.isSome(first)) return { task_id: first.value, created: false }
          }
          if (yield* insertUnlessTaken(task)) return { task_id: task.task_id, created: true }
          return yield* Effect.suspend(() => insertOrFind(task))
        })

      const newTask = (submission: Submission, now: number, traceparent: string): NewTask => {
        const number = numbers.next(now)
        const seconds = Math.floor(now / 1_000)
        const { policy } = submission
        return {
          number,
          task_id: TaskId.make(`${submission.prefix}_${submission.user_id}_${seconds}_${inTaskId(number)}${randomHex(UNGUESSABLE)}`, unchecked),
          kind: submission.kind,
          name: submission.name ?? null,
          queue: policy.queue,
          priority: policy.priority,
          organization_id: submission.organization_id,
          user_id: submission.user_id,
          payload: submission.payload,
          private_input: submission.private_input,
          attempt_timeout: policy.attempt_timeout,
          deadline: policy.deadline,
          delay: Math.max(0, submission.delay ?? 0),
          retry: policy.retry,
          result_ttl: policy.result_ttl ?? RESULT_TTL,
          unique_key: submission.unique_key ?? null,
          limit: submission.limit ?? null,
          after: submission.after ?? [],
          whateverEnd: false,
          parent: submission.parent ?? null,
          traceparent
        }
      }

      const build = Effect.fnUntraced(function*(submissions: ReadonlyArray<Submission>) {
        const [now, traceparent] = [yield* Clock.currentTimeMillis, yield* currentTraceparent]
        return submissions.map((submission) => newTask(submission, now, traceparent))
      })

      const count = (accepted: ReadonlyArray<Accepted>, tasks: ReadonlyArray<NewTask>) => {
        const byKind = new Map<string, number>()
        for (const [index, { created }] of accepted.entries()) {
          const kind = tasks[index]?.kind ?? ""
          if (created) byKind.set(kind, (byKind.get(kind) ?? 0) + 1)
        }
        return Effect.forEach(byKind, ([kind, n]) => Metrics.tasksAccepted.add({ kind }, n), { discard: true })
      }

      /** The rooms that submissions take, each asked for once. */
      const within = <A, E>(submissions: ReadonlyArray<Submission>, submit: Effect.Effect<A, E>): Effect.Effect<A, E | QueueFull | SqlError> => {
        const rooms = new Map<string, { readonly queue: string; readonly organization_id: OrganizationId; count: number }>()
        for (const { followUp = false, organization_id, policy } of submissions) {
          if (followUp) continue
          const key = `${organization_id} ${policy.queue}`
          const room = rooms.get(key)
          if (room === undefined) rooms.set(key, { queue: policy.queue, organization_id, count: 1 })
          else room.count += 1
        }
        let inside: Effect.Effect<A, E | QueueFull | SqlError> = submit
        for (const { count, organization_id, queue } of rooms.values()) inside = backpressure.within(queue, organization_id, count, inside)
        return inside
      }

      const accept = Effect.fnUntraced(function*(submissions: ReadonlyArray<Submission>, tasks: ReadonlyArray<NewTask>) {
        const accepted = yield* within(submissions, tasks.every(isPlain) ? insertAllPlain(tasks) : insertInOrder(tasks))
        yield* count(accepted, tasks)
        return accepted
      })

      const submitAll: TaskQueue["Service"]["submitAll"] = Effect.fn("TaskQueue.submitAll")(function*(submissions) {
        return yield* accept(submissions, yield* build(submissions))
      })

      const insertAllPlain = (tasks: ReadonlyArray<NewTask>): Effect.Effect<ReadonlyArray<Accepted>, SqlError> =>
        Effect.as(insert(tasks), tasks.map(({ task_id }) => ({ task_id, created: true })))

      /** Keys and limits in one order everywhere, so that two of these never wait for each other. */
      const insertInOrder = Effect.fnUntraced(function*(tasks: ReadonlyArray<NewTask>) {
        const order = tasks.map((task, index) => ({ task, index, key: lockKey(task) })).sort((a, b) => compare(a.key, b.key) || a.index - b.index)
        const accepted = yield* sql.withTransaction(Effect.gen(function*() {
          const answers = new Map<number, Accepted>()
          for (const { index, task } of order) answers.set(index, yield* insertOrFind(task))
          return tasks.map((task, index) => answers.get(index) ?? { task_id: task.task_id, created: false })
        }))
        yield* wakeups.wake("tasks", "delayed")
        return accepted
      })

      const submit = Effect.fn("TaskQueue.submit")(function*(submission: Submission) {
        const task = newTask(submission, yield* Clock.currentTimeMillis, yield* currentTraceparent)
        yield* Effect.annotateCurrentSpan({ [Attribute.taskId]: task.task_id, [Attribute.taskKind]: submission.kind })
        const [accepted] = yield* accept([submission], [task])
        return accepted?.task_id ?? task.task_id
      })

      const submitUnlessOpen: TaskQueue["Service"]["submitUnlessOpen"] = Effect.fn("TaskQueue.submitUnlessOpen")(function*(submission) {
        yield* repo.freeKey(submission.organization_id, submission.kind, submission.unique_key)
        const task = newTask(submission, yield* Clock.currentTimeMillis, yield* currentTraceparent)
        const [accepted] = yield* accept([submission], [task])
        return accepted ?? { task_id: task.task_id, created: true }
      })

      const enlist: TaskQueue["Service"]["enlist"] = Effect.fn("TaskQueue.enlist")(function*(submission) {
        const task = newTask(submission, yield* Clock.currentTimeMillis, yield* currentTraceparent)
        const accepted = yield* within([submission], insertOrFind(task))
        yield* sql.afterCommit(Effect.andThen(wakeups.wake("tasks", "delayed"), count([accepted], [task])))
        return accepted
      })

      const enlistFamily: TaskQueue["Service"]["enlistFamily"] = Effect.fn("TaskQueue.enlistFamily")(function*(parent, children) {
        const [now, traceparent] = [yield* Clock.currentTimeMillis, yield* currentTraceparent]
        const first = newTask(parent, now, traceparent)
        const members = children.map((child) => newTask({ ...child, parent: first.task_id }, now, traceparent))
        const family = [...members, { ...first, after: members.map(({ task_id }) => task_id), whateverEnd: true }]
        const accepted = yield* within([...children, parent], Effect.forEach(family, insertOrFind))
        yield* sql.afterCommit(Effect.andThen(wakeups.wake("tasks"), count(accepted, family)))
        return { parent: first.task_id, children: members.map(({ task_id }) => task_id) }
      })

      return TaskQueue.of({ submit, submitUnlessOpen, submitAll, enlist, enlistFamily })
    })
  )
}

/** Rolls the savepoint back. */
class KeyTaken extends Schema.TaggedError<KeyTaken>()("KeyTaken", {}) {}

/** Random bytes in a task's id. */
const UNGUESSABLE = 8

/** 30 days. */
const RESULT_TTL = 2_592_000_000

const isPlain = (task: NewTask): boolean => task.unique_key === null && task.limit === null && task.after.length === 0

const unchecked = { disableChecks: true } as const

const lockKey = (task: NewTask): string => `${task.organization_id} ${task.kind} ${task.unique_key ?? ""} ${task.limit?.key ?? ""}`

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const leaseOf = (task: NewTask, until: Date): TaskLease => ({
  task_id: task.task_id,
  kind: task.kind,
  priority: task.priority,
  payload: task.payload,
  private_input: task.private_input,
  attempt: 1,
  deadline: DateTime.makeUnsafe(until),
  traceparent: task.traceparent,
  organization_id: task.organization_id,
  user_id: task.user_id
})

