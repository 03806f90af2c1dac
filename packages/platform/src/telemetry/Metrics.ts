/**
 * The registry of metric names: all that a process of ours exports, with unit, labels and who exports it. Names follow
 * Prometheus' conventions, and OpenTelemetry's where those know the thing measured. M1–M16 are those of seed 000
 * ("Métricas de Performance"); otel/README.md says which query answers each.
 *
 * Labels have few values each: routes by their template, never ids, addresses, or names that a client or a foreign worker chose.
 */
import { counter, gauge, histogram } from "./Instrument.ts"

/** Seconds of what answers while somebody waits. */
const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds of what a model or a whole task takes: seed 000 expects 30 to 180. */
const SLOW = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 180, 300, 600]
const SHARE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

const api = { by: "api", of: "process" } as const
const worker = { by: "worker", of: "process" } as const
const both = { by: "both", of: "process" } as const
const cluster = { by: "api", of: "cluster" } as const

export const Metrics = {
  // HTTP: M1 (rate), M2 (P95), M3 (error rate).
  httpRequests: histogram({
    ...api,
    name: "http_server_request_duration_seconds",
    help: "Time until the head of the response is ready, by route template, method and status",
    unit: "seconds",
    labels: ["route", "method", "status"],
    boundaries: QUICK
  }),
  httpActive: gauge({ ...api, name: "http_server_active_requests", help: "Requests whose response is not ready yet", unit: "count", labels: [] }),

  // Tasks and the queue: M4 (queue length).
  tasksAccepted: counter({ ...api, name: "englog_tasks_accepted_total", help: "Tasks committed to the queue", unit: "count", labels: ["kind"] }),
  tasksEnded: counter({ ...api, name: "englog_tasks_ended_total", help: "Tasks that ended, by outcome", unit: "count", labels: ["kind", "outcome"] }),
  tasksRequeued: counter({
    ...api,
    name: "englog_tasks_requeued_total",
    help: "Attempts after which the task went back to the queue: to retry, rescued from a lost worker, or handed back",
    unit: "count",
    labels: ["kind", "cause"]
  }),
  taskDuration: histogram({
    ...api,
    name: "englog_task_duration_seconds",
    help: "Time from acceptance to the end of a task, waiting included",
    unit: "seconds",
    labels: ["kind", "outcome"],
    boundaries: SLOW
  }),
  queueTasks: gauge({
    ...cluster,
    name: "englog_queue_tasks",
    help: "Open tasks: due now, delayed (waiting for their time), blocked (waiting for other tasks or for a limit), or running",
    unit: "count",
    labels: ["queue", "state"]
  }),
  queueOldestDue: gauge({
    ...cluster,
    name: "englog_queue_oldest_due_seconds",
    help: "How long the oldest task that could run has been waiting",
    unit: "seconds",
    labels: ["queue"]
  }),

  workersSuggested: gauge({
    ...cluster,
    name: "englog_queue_suggested_workers",
    help: "Workers that could hold all tasks of the queue that are due or run, at the slots that workers have now",
    unit: "count",
    labels: ["queue"]
  }),

  // The cluster as the API sees it.
  workerSessions: gauge({
    ...cluster,
    name: "englog_worker_sessions",
    help: "Live worker sessions by status: idle, busy, paused, draining, unhealthy, disconnected",
    unit: "count",
    labels: ["status"]
  }),
  workerCapacity: gauge({ ...cluster, name: "englog_worker_capacity_tasks", help: "Tasks that all healthy workers can run at once", unit: "count", labels: [] }),
  streamsDeaf: gauge({
    ...api,
    name: "englog_worker_streams_deaf",
    help: "Workers connected to this process that have not answered what they were sent for 10 s, and get nothing until they do",
    unit: "count",
    labels: []
  }),
  rpcServed: histogram({
    ...api,
    name: "rpc_server_duration_seconds",
    help: "Time to answer a unary gRPC call of a worker, by method and status code",
    unit: "seconds",
    labels: ["method", "code"],
    boundaries: QUICK
  }),

  // The product (seed 004, "Monitoring & Metrics").
  entriesCreated: counter({ ...api, name: "englog_log_entries_created_total", help: "Log entries created", unit: "count", labels: [] }),
  usersActive: gauge({ ...cluster, name: "englog_active_users", help: "Users whose session was opened or renewed during the last 24 hours", unit: "count", labels: [] }),
  insightsStored: counter({ ...api, name: "englog_insights_stored_total", help: "Insights stored, by what wrote them", unit: "count", labels: ["kind", "source"] }),
  insightConfidence: histogram({
    ...api,
    name: "englog_insight_confidence_ratio",
    help: "Confidence of stored insights after the figure check (M15: sum by count)",
    unit: "ratio",
    labels: ["source"],
    boundaries: SHARE
  }),
  figureSentences: counter({
    ...api,
    name: "englog_figure_check_sentences_total",
    help: "Sentences of drafts that the figure check kept or removed",
    unit: "count",
    labels: ["verdict"]
  }),

  // The database.
  databaseUp: gauge({ ...api, name: "englog_database_up", help: "1 while PostgreSQL answers this process, else 0", unit: "count", labels: [] }),
  databasePing: gauge({
    ...api,
    name: "englog_database_ping_seconds",
    help: "Round trip of the last statement that only asks whether PostgreSQL answers; waiting for a connection of the pool included",
    unit: "seconds",
    labels: []
  }),
  databaseConnections: gauge({
    ...cluster,
    name: "englog_database_connections",
    help: "Connections of all API processes to this database, by state as in pg_stat_activity",
    unit: "count",
    labels: ["state"]
  }),
  databaseErrors: counter({
    ...api,
    name: "englog_database_errors_total",
    help: "Statements that failed and connections that were not to be had, by reason",
    unit: "count",
    labels: ["reason"]
  }),
  statements: histogram({ ...api, name: "db_client_operation_duration_seconds", help: "Time of one statement", unit: "seconds", labels: ["outcome"], boundaries: QUICK }),
  connectionWaits: histogram({
    ...api,
    name: "db_client_connection_wait_time_seconds",
    help: "Time until the pool had a connection for a statement or transaction",
    unit: "seconds",
    labels: [],
    boundaries: QUICK
  }),

  // The worker: M5 (active), M6 (completed), M7 (failed), M9 (connection), M10 (latency), M11 (reconnections), M12 (breakers).
  workerActive: gauge({ ...worker, name: "englog_worker_active_tasks", help: "Attempts this worker holds", unit: "count", labels: [] }),
  workerTasks: counter({ ...worker, name: "englog_worker_tasks_total", help: "Attempts that ended here, by outcome", unit: "count", labels: ["kind", "outcome"] }),
  workerTaskDuration: histogram({
    ...worker,
    name: "englog_worker_task_duration_seconds",
    help: "Time an attempt took here, waiting for a free slot included",
    unit: "seconds",
    labels: ["kind", "outcome"],
    boundaries: SLOW
  }),
  workerConnected: gauge({ ...worker, name: "englog_worker_connected", help: "1 while tasks can reach this worker, else 0", unit: "count", labels: [] }),
  workerReconnections: counter({ ...worker, name: "englog_worker_reconnections_total", help: "Connections to an API server that ended or could not be made", unit: "count", labels: [] }),
  rpcCalled: histogram({
    ...worker,
    name: "rpc_client_duration_seconds",
    help: "Time until the API server answered a unary gRPC call, by method and status code",
    unit: "seconds",
    labels: ["method", "code"],
    boundaries: QUICK
  }),
  breakerState: gauge({
    ...worker,
    name: "englog_circuit_breaker_state",
    help: "1 for the state a circuit breaker is in, 0 for the others",
    unit: "count",
    labels: ["breaker", "state"]
  }),

  // Writing insights: M8 (generation), M13 (response), M14 (loading), M16 (availability).
  generation: histogram({
    ...worker,
    name: "englog_insight_generation_duration_seconds",
    help: "Time to write an insight, retries and fallbacks included, by what wrote it in the end",
    unit: "seconds",
    labels: ["source"],
    boundaries: SLOW
  }),
  narratorFallbacks: counter({
    ...worker,
    name: "englog_narrator_fallbacks_total",
    help: "Insights that a configured model did not write, by what wrote them instead",
    unit: "count",
    labels: ["source"]
  }),
  modelCalls: histogram({
    ...worker,
    name: "gen_ai_client_operation_duration_seconds",
    help: "Time of one call of a language model, by how it ended",
    unit: "seconds",
    labels: ["provider", "model", "outcome"],
    boundaries: SLOW
  }),
  modelTokens: counter({ ...worker, name: "gen_ai_client_tokens_total", help: "Tokens that language models read and wrote", unit: "count", labels: ["provider", "model", "type"] }),
  modelLoading: histogram({
    ...worker,
    name: "englog_model_load_duration_seconds",
    help: "Time Ollama took to load the model before it answered",
    unit: "seconds",
    labels: ["model"],
    boundaries: SLOW
  }),
  modelAvailable: gauge({
    ...worker,
    name: "englog_model_available",
    help: "1 while the configured language model answers its check, else 0; absent where none is configured",
    unit: "count",
    labels: ["provider", "model"]
  }),

  // Webhooks.
  webhookDeliveries: counter({ ...api, name: "englog_webhook_deliveries_total", help: "Messages to webhooks that ended, by outcome", unit: "count", labels: ["outcome"] }),
  webhookAttempts: histogram({
    ...api,
    name: "englog_webhook_attempt_duration_seconds",
    help: "Time of one attempt to deliver, as its worker measured it: accepted (2xx), refused (another answer), or unanswered",
    unit: "seconds",
    labels: ["outcome"],
    boundaries: QUICK
  }),
  webhookEndpoints: gauge({
    ...cluster,
    name: "englog_webhook_endpoints",
    help: "Endpoints by state: those that are sent to by their circuit (closed, open, half_open), disabled by their owner, or gone (the receiver answered 410)",
    unit: "count",
    labels: ["state"]
  }),
  webhookOldest: gauge({
    ...cluster,
    name: "englog_webhook_oldest_undelivered_seconds",
    help: "How long the message that waits longest has been on its way",
    unit: "seconds",
    labels: []
  }),

  // The process; names as the Prometheus clients of other languages have them.
  buildInfo: gauge({ ...both, name: "englog_build_info", help: "Always 1: which version of which service runs", unit: "count", labels: ["service", "version"] }),
  cpu: counter({ ...both, name: "process_cpu_seconds_total", help: "Processor time used", unit: "seconds", labels: [] }),
  memory: gauge({ ...both, name: "process_resident_memory_bytes", help: "Resident memory", unit: "bytes", labels: [] }),
  startTime: gauge({ ...both, name: "process_start_time_seconds", help: "Start of the process, in seconds since the epoch", unit: "seconds", labels: [] }),
  heap: gauge({ ...both, name: "nodejs_heap_size_used_bytes", help: "Heap in use", unit: "bytes", labels: [] }),
  eventLoopDelay: gauge({
    ...both,
    name: "nodejs_eventloop_delay_seconds",
    help: "How much later than planned the event loop came to its timers since the last reading",
    unit: "seconds",
    labels: ["quantile"]
  }),
  gc: histogram({
    ...both,
    name: "nodejs_gc_duration_seconds",
    help: "Garbage collections, by kind",
    unit: "seconds",
    labels: ["kind"],
    boundaries: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5]
  })
} as const

export type MetricDefinition = typeof Metrics[keyof typeof Metrics]
