/**
 * The tables of the task cluster as values in memory: open tasks, ended ones, worker sessions, replicas, and a journal of what
 * happened to attempts. Rows are never changed in place, so that a transaction is taken back by keeping what was there before.
 */
import type { SessionId, TaskId, WorkerId } from "@englog/domain/Ids"
import type { NewTask } from "@englog/domain/tasks/Task"
import type { TaskSituation } from "@englog/domain/tasks/TaskState"

/** Times in milliseconds. */
export interface OpenTask {
  readonly task: NewTask
  readonly state: "queued" | "running"
  readonly waits_for: "time" | null
  readonly run_at: number
  readonly attempt: number
  readonly max_attempts: number
  readonly rescues: number
  readonly session_id: SessionId | null
  readonly released_session: SessionId | null
  readonly lost_sessions: ReadonlyArray<SessionId>
  readonly worker_id: WorkerId | null
  readonly cancel_requested_at: number | null
  readonly cancel_reason: string | null
  readonly progress: number
  readonly started_at: number
  readonly attempt_deadline: number | null
  readonly created_at: number
  readonly deadline: number
}

export interface EndedTask {
  readonly outcome: "completed" | "failed" | "cancelled" | "expired"
  readonly reason: string | null
  readonly session_id: SessionId | null
  readonly attempt: number
  readonly result: string | null
  readonly error: string | null
}

export interface Session {
  readonly id: SessionId
  readonly worker_id: WorkerId
  readonly worker_name: string
  readonly version: string
  /** Hexadecimal. */
  readonly token_hash: string
  readonly previous_token_hash: string | null
  readonly protocol: 1 | 2
  readonly kinds: ReadonlyArray<string>
  readonly queues: ReadonlyArray<string>
  readonly max_concurrent_tasks: number
  readonly address: string
  readonly lineage: ReadonlyArray<SessionId>
  readonly replica_id: string | null
  readonly status: "idle" | "busy" | "draining" | "unhealthy"
  readonly registered_at: number
  readonly last_heartbeat_at: number
  readonly lease_until: number
  readonly disconnected_at: number | null
  readonly ended_at: number | null
}

/** What a judge wants to know of an attempt, in the order of the commits. */
export type Entry =
  | { readonly _tag: "Accepted"; readonly task_id: TaskId }
  | { readonly _tag: "Issued"; readonly task_id: TaskId; readonly attempt: number; readonly session_id: SessionId; readonly at: number }
  | {
    readonly _tag: "Requeued"
    readonly task_id: TaskId
    readonly attempt: number
    readonly event: "retrying" | "rescued" | "handed_back"
    readonly message: string | null
    readonly rescues: number
  }
  | { readonly _tag: "Ended"; readonly task_id: TaskId; readonly end: EndedTask }

export class Tables {
  open: Map<TaskId, OpenTask> = new Map()
  ended: Map<TaskId, EndedTask> = new Map()
  sessions: Map<SessionId, Session> = new Map()
  /** When each of them was seen last. */
  replicas: Map<string, number> = new Map()
  journal: Array<Entry> = []

  /** Everything as it is now, to be restored. */
  keep(): () => void {
    const { ended, journal, open, replicas, sessions } = this
    const entries = journal.length
    this.open = new Map(open)
    this.ended = new Map(ended)
    this.sessions = new Map(sessions)
    this.replicas = new Map(replicas)
    return () => {
      Object.assign(this, { open, ended, sessions, replicas })
      journal.length = entries
    }
  }

  runningIn(session_id: SessionId): ReadonlyArray<OpenTask> {
    return [...this.open.values()].filter((row) => row.state === "running" && row.session_id === session_id)
  }

  change(task_id: TaskId, fields: Partial<OpenTask>): void {
    const row = this.open.get(task_id)
    if (row !== undefined) this.open.set(task_id, { ...row, ...fields })
  }

  changeSession(id: SessionId, fields: Partial<Session>): void {
    const row = this.sessions.get(id)
    if (row !== undefined) this.sessions.set(id, { ...row, ...fields })
  }

  end(task_id: TaskId, end: EndedTask): void {
    this.open.delete(task_id)
    this.ended.set(task_id, end)
    this.journal.push({ _tag: "Ended", task_id, end })
  }
}

export const situationOf = (row: OpenTask): TaskSituation => ({
  state: row.state,
  attempt: row.attempt,
  max_attempts: row.max_attempts,
  rescues: row.rescues,
  cancel_requested: row.cancel_requested_at !== null,
  retry: row.task.retry
})
