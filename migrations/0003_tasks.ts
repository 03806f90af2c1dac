/**
 * The task queue. `tasks` is the record, `task_queue` the small hot part of what is not finished: a task is open exactly
 * while it has a row there. `task_events` is its history with gap-free numbers, given under the queue row's lock.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE TABLE tasks (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      task_id text NOT NULL UNIQUE,
      kind text NOT NULL,
      queue text NOT NULL,
      priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 10),
      organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      payload jsonb NOT NULL,
      -- What only the holder of the task may read, encrypted; payloads carry ids.
      private_input text,
      traceparent text NOT NULL,
      attempt_timeout_ms integer NOT NULL CHECK (attempt_timeout_ms > 0),
      retry jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      deadline timestamptz NOT NULL,
      -- What follows is written once, when the task ends.
      outcome text CHECK (outcome IN ('completed', 'failed', 'cancelled', 'expired')),
      reason text CHECK (reason IN ('error', 'lost', 'deadline')),
      result text,
      error text,
      attempt integer CHECK (attempt >= 0),
      max_attempts integer,
      rescues integer,
      progress smallint CHECK (progress BETWEEN 0 AND 100),
      message text,
      session_id uuid,
      worker_id text,
      started_at timestamptz,
      completed_at timestamptz,
      CONSTRAINT ended_as_a_whole CHECK (
        (outcome IS NULL) = (completed_at IS NULL) AND (outcome IS NULL) = (attempt IS NULL)
      ),
      CONSTRAINT completed_has_result CHECK ((outcome IS NOT DISTINCT FROM 'completed') = (result IS NOT NULL)),
      CONSTRAINT failed_has_reason CHECK ((outcome IS NOT NULL AND outcome IN ('failed', 'expired')) = (reason IS NOT NULL))
    ) WITH (fillfactor = 85)
  `
  yield* sql`CREATE INDEX tasks_by_organization ON tasks (organization_id, id DESC)`

  yield* sql`
    CREATE TABLE task_queue (
      id bigint PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
      kind text NOT NULL,
      queue text NOT NULL,
      priority smallint NOT NULL,
      organization_id uuid NOT NULL,
      state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running')),
      run_at timestamptz NOT NULL DEFAULT now(),
      deadline timestamptz NOT NULL,
      attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
      max_attempts integer NOT NULL CHECK (max_attempts >= 1),
      rescues integer NOT NULL DEFAULT 0 CHECK (rescues >= 0),
      session_id uuid,
      -- Who runs it, or ran its newest attempt.
      worker_id text,
      -- The session that held the newest attempt when it was rescued: its late report still counts until the next claim.
      released_session uuid,
      -- Sessions that lost this task; they never get it again.
      lost_sessions uuid[] NOT NULL DEFAULT '{}',
      started_at timestamptz,
      attempt_deadline timestamptz,
      cancel_requested_at timestamptz,
      cancel_reason text,
      progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
      message text,
      event_seq integer NOT NULL DEFAULT 1 CHECK (event_seq >= 1),
      CONSTRAINT running_is_held CHECK (
        (state = 'running') = (session_id IS NOT NULL)
        AND (state = 'running') = (attempt_deadline IS NOT NULL)
      ),
      CONSTRAINT running_was_claimed CHECK (state <> 'running' OR (attempt >= 1 AND started_at IS NOT NULL)),
      CONSTRAINT only_waiting_was_released CHECK (released_session IS NULL OR state = 'queued'),
      CONSTRAINT only_running_waits_for_cancel CHECK (cancel_requested_at IS NULL OR state = 'running')
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000)
  `
  yield* sql`CREATE INDEX task_queue_ready ON task_queue (kind, priority DESC, id) WHERE state = 'queued'`
  yield* sql`CREATE INDEX task_queue_held ON task_queue (session_id) WHERE session_id IS NOT NULL`
  yield* sql`CREATE INDEX task_queue_deadline ON task_queue (deadline)`

  yield* sql`
    CREATE TABLE task_events (
      task bigint NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
      seq integer NOT NULL CHECK (seq >= 1),
      type text NOT NULL CHECK (type IN (
        'queued', 'started', 'progress', 'retrying', 'rescued', 'handed_back', 'cancel_requested',
        'completed', 'failed', 'cancelled', 'expired'
      )),
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      attempt integer NOT NULL,
      progress smallint NOT NULL,
      message text,
      worker_id text,
      PRIMARY KEY (task, seq)
    )
  `

  yield* sql`
    CREATE TABLE replicas (
      id uuid PRIMARY KEY,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now()
    )
  `
  yield* sql`
    CREATE TABLE worker_sessions (
      id uuid PRIMARY KEY,
      worker_id text NOT NULL,
      worker_name text NOT NULL,
      version text NOT NULL,
      token_hash bytea NOT NULL UNIQUE,
      -- The token before it was rotated: resumes once more, for a worker that never got the answer with the new one.
      previous_token_hash bytea,
      protocol smallint NOT NULL CHECK (protocol IN (1, 2)),
      kinds text[] NOT NULL,
      queues text[] NOT NULL,
      max_concurrent_tasks integer NOT NULL CHECK (max_concurrent_tasks >= 1),
      address text NOT NULL,
      -- The sessions this one continues, when its worker came back after being given up.
      lineage uuid[] NOT NULL DEFAULT '{}',
      -- The replica that has its stream; null while it has none.
      replica_id uuid,
      -- Since when its stream is broken; null while it has one and before its first.
      disconnected_at timestamptz,
      status text NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'busy', 'draining', 'unhealthy')),
      stats jsonb,
      registered_at timestamptz NOT NULL DEFAULT now(),
      last_heartbeat_at timestamptz NOT NULL DEFAULT now(),
      lease_until timestamptz NOT NULL,
      ended_at timestamptz,
      end_reason text,
      CONSTRAINT connected_or_not CHECK (replica_id IS NULL OR disconnected_at IS NULL),
      CONSTRAINT ended_with_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
      CONSTRAINT ended_is_disconnected CHECK (ended_at IS NULL OR replica_id IS NULL)
    )
  `
  yield* sql`CREATE UNIQUE INDEX worker_sessions_live ON worker_sessions (worker_id) WHERE ended_at IS NULL`
})
