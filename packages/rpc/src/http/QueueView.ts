/** Queues as an administrator sees them, by REST and RPC alike. */
import { OrganizationId } from "@englog/domain/Ids"
import { CleanupCounts } from "@englog/domain/tasks/Cleanup"
import { Schema } from "effect"
import { Page } from "./Page.ts"
import { WorkersHealth } from "./WorkersApi.ts"

/** In days; ten years. */
export const MAX_AGE_DAYS = 3650

/** A queue's name, or `*` for all queues together. */
export const SteeredQueue = Schema.String.check(
  Schema.isPattern(/^(\*|[A-Za-z0-9][A-Za-z0-9_.:-]{0,99})$/u, { expected: "the name of a queue, or *" })
)

export const QueueSettingView = Schema.Struct({
  queue: Schema.String,
  paused: Schema.Boolean,
  /** Tasks of it that may run at once on all workers; null: as many as there are slots. */
  max_running: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "QueueSetting" })

export const MaxRunning = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }, { expected: "a whole number from 0 to 1000000" }))

export const LimitRequest = Schema.Struct({ max_running: Schema.NullOr(MaxRunning) }).annotate({ identifier: "QueueLimitRequest" })

const QueueFigures = Schema.Struct({
  ...QueueSettingView.fields,
  /** Waiting tasks in all: ready, delayed and blocked ones. */
  pending: Schema.Int,
  ready: Schema.Int,
  /** Their time has not come. */
  delayed: Schema.Int,
  /** They wait for other tasks, or for a permit of their limit. */
  blocked: Schema.Int,
  running: Schema.Int,
  /** Waiting tasks by priority: 10, 8–9, 5–7, 1–4. */
  by_priority: Schema.Struct({ critical: Schema.Int, high: Schema.Int, normal: Schema.Int, low: Schema.Int }),
  /** For how long the oldest ready task has waited. */
  oldest_due_seconds: Schema.Finite
}).annotate({ identifier: "QueueFigures" })

export const QueueStats = Schema.Struct({
  queues: Schema.Array(QueueFigures),
  totals: Schema.Struct({ pending: Schema.Int, running: Schema.Int, dead_letters: Schema.Int }),
  /** How the newest tasks fared, at most 10,000 of them; open ones count as tasks only. */
  recent: Schema.Struct({
    tasks: Schema.Int,
    since: Schema.NullOr(Schema.DateTimeUtcFromString),
    completed: Schema.Int,
    failed: Schema.Int,
    cancelled: Schema.Int,
    /** Attempts after first ones, without those that a lost worker caused. */
    retries: Schema.Int,
    /** Share of failed ones among those that ended; null where none has. */
    error_rate: Schema.NullOr(Schema.Finite),
    /** Of the last attempt of completed ones. */
    average_execution_seconds: Schema.NullOr(Schema.Finite)
  }),
  timestamp: Schema.DateTimeUtcFromString
}).annotate({ identifier: "QueueStats" })

export const Weight = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }, { expected: "a whole number from 1 to 100" }))

/** An organization's share of the slots beside the others', while several have tasks of one priority waiting; 1 unless it was set. */
export const TenantWeight = Schema.Struct({ organization_id: OrganizationId, weight: Weight }).annotate({ identifier: "TenantWeight" })
export const TenantWeightPage = Page(TenantWeight).annotate({ identifier: "TenantWeightPage" })
export const WeightRequest = Schema.Struct({ weight: Weight }).annotate({ identifier: "TenantWeightRequest" })

export const CleanupAnswer = Schema.Struct({ dry_run: Schema.Boolean, removed: CleanupCounts }).annotate({ identifier: "CleanupAnswer" })

/** Seed 002's health: whether tasks are taken. */
export const BackgroundHealth = Schema.Struct({
  status: WorkersHealth.fields.status,
  healthy_workers: Schema.Int,
  queued_tasks: Schema.Int,
  active_tasks: Schema.Int,
  timestamp: Schema.DateTimeUtcFromString
}).annotate({ identifier: "BackgroundHealth" })
