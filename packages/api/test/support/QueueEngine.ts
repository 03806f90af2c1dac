/**
 * The queue engine on a fresh database, without API and workers around it. A suite shares the database; each test keeps to
 * a kind of its own, so that no claim sees the tasks of another test.
 */
import { OrganizationId, SessionId, TaskId, UserId, WorkerId } from "@englog/domain/Ids"
import type { TaskReport } from "@englog/domain/tasks/Task"
import { narrationPolicy, type TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Effect, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes, randomUUID } from "node:crypto"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { QueueLimits } from "../../src/queue/Backpressure.ts"
import { type Claimant, ClaimRepo } from "../../src/queue/ClaimRepo.ts"
import { Engine } from "../../src/queue/Engine.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { EventFeed } from "../../src/queue/EventFeed.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import { type Submission, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { TaskRepo } from "../../src/queue/TaskRepo.ts"
import { TestDatabase } from "./TestDatabase.ts"

export const encryptionKeys = Redacted.make(`k1:${Buffer.alloc(32, 7).toString("base64")}`)

export const QueueEngine = Engine.pipe(
  Layer.provide([FieldCipher.layer(encryptionKeys), EngineSql.layer, Layer.succeed(QueueLimits, { perQueue: 0, perTenant: 0 })]),
  Layer.provideMerge(TestDatabase.layer),
  Layer.provideMerge(Logger.layer([])),
  Layer.orDie
)

export const newSession = () => SessionId.make(randomUUID())

/** A kind that nobody else uses. */
export const newKind = () => `TEST_${randomBytes(6).toString("hex").toUpperCase()}`

/** A user with an organization, written straight into the tables. */
export const newOwner = Effect.fnUntraced(function*() {
  const sql = yield* SqlClient.SqlClient
  const [user_id, organization_id] = [UserId.make(randomUUID()), OrganizationId.make(randomUUID())]
  yield* sql`INSERT INTO users (id, email, password_hash, first_name, last_name)
    VALUES (${user_id}, ${`${user_id}@example.com`}, 'none', 'Ada', 'Lovelace')`
  yield* sql`INSERT INTO organizations (id, name, personal_of) VALUES (${organization_id}, 'Ada', ${user_id})`
  return { user_id, organization_id }
})

export interface Enqueued extends Partial<Omit<TaskPolicy, "retry">> {
  readonly kind: string
  readonly payload?: string
  readonly retry?: Partial<TaskPolicy["retry"]>
  readonly private_input?: string
  readonly more?: Partial<Submission>
  readonly owner?: { readonly user_id: UserId; readonly organization_id: OrganizationId }
}

export const newSubmission = Effect.fnUntraced(function*(
  { kind, more, owner, payload, private_input, retry, ...policy }: Enqueued
): Effect.fn.Return<Submission, SqlError, SqlClient.SqlClient> {
  return {
    kind,
    prefix: "test",
    ...(owner ?? (yield* newOwner())),
    payload: payload ?? "{}",
    private_input: private_input ?? null,
    policy: { ...narrationPolicy, ...policy, retry: { ...narrationPolicy.retry, ...retry } },
    ...more
  }
})

export const enqueue = (parts: Enqueued) => Effect.flatMap(newSubmission(parts), (submission) => TaskQueue.use((queue) => queue.submit(submission)))

/** Somebody who takes up to five tasks of these kinds, unless told otherwise. */
export const claimant = (kind: string, parts: Partial<Claimant> = {}): Claimant => ({
  session_id: newSession(),
  worker_id: WorkerId.make("worker-1"),
  kinds: [kind],
  queues: ["default"],
  lineage: [],
  slots: 5,
  ...parts
})

export const claim = (claimant: Claimant) => ClaimRepo.use((claims) => claims.claim(claimant))

/** Enqueues a task and claims it. */
export const running = Effect.fnUntraced(function*(parts: Partial<Enqueued> = {}, by: Partial<Claimant> = {}) {
  const kind = parts.kind ?? newKind()
  const task_id = yield* enqueue({ ...parts, kind })
  const worker = claimant(kind, by)
  const [lease] = yield* claim(worker)
  if (lease?.task_id !== task_id) return yield* Effect.die(new Error("the task that was just queued was not handed out"))
  return { task_id, kind, worker, session_id: worker.session_id }
})

export const completed = (result: string): TaskReport["outcome"] => ({ _tag: "Completed", result })
export const failed = (error: string): TaskReport["outcome"] => ({ _tag: "Failed", error, retryable: true })
export const stopped: TaskReport["outcome"] = { _tag: "Stopped", message: "stopped" }

/** Reports an outcome; the lineage is that of the reporting session. */
export const report = (
  task_id: TaskId,
  session_id: SessionId,
  attempt: number,
  outcome: TaskReport["outcome"],
  lineage: ReadonlyArray<SessionId> = []
) => TaskOutcomes.use((outcomes) => outcomes.report({ task_id, session_id, attempt, outcome }, lineage))

export const release = (task_id: TaskId, session_id: SessionId, how: "Lost" | "HandedBack", attempt = 0) =>
  TaskOutcomes.use((outcomes) => outcomes.release({ task_id, attempt }, session_id, how))

export const find = (task_id: TaskId) =>
  TaskRepo.use((tasks) => tasks.find(task_id)).pipe(Effect.flatMap(Effect.fromOption), Effect.orDie)

export const events = (task_id: TaskId) => EventFeed.use((feed) => feed.after(task_id, 0))

export const eventTypes = (task_id: TaskId) => events(task_id).pipe(Effect.map((all) => all.map((event) => event.type)))

/** Moves a task's times into the past, as if it had waited that long. */
export const age = Effect.fnUntraced(function*(task_id: TaskId, column: "run_at" | "deadline" | "attempt_deadline" | "cancel_requested_at", seconds: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE task_queue SET ${sql(column)} = now() - ${seconds}::int * interval '1 second'
    WHERE id = (SELECT id FROM tasks WHERE task_id = ${task_id})`
  if (column === "run_at") yield* (yield* ClaimRepo).promoteDue
})
