/**
 * The API server, assembled: data, queue, cluster, nouns, and the HTTP, RPC and gRPC edges in front of them.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { metricsRoute } from "@englog/platform/telemetry/MetricsRoute"
import { EngLogApi } from "@englog/rpc/http/Api"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { AccountExport } from "./account/AccountExport.ts"
import { AccountHttp } from "./account/AccountHttp.ts"
import { AccountRpcsLive } from "./account/AccountRpcsLive.ts"
import { ExportRepo } from "./account/ExportRepo.ts"
import { Leaving } from "./account/Leaving.ts"
import { LeavingRepo } from "./account/LeavingRepo.ts"
import { OwnAccount } from "./account/OwnAccount.ts"
import { Ownership } from "./account/Ownership.ts"
import { ProfileRepo } from "./account/ProfileRepo.ts"
import { AppConfig } from "./AppConfig.ts"
import { Accounts } from "./auth/Accounts.ts"
import { ApiTokenRepo } from "./auth/ApiTokenRepo.ts"
import { AuthHttp } from "./auth/AuthHttp.ts"
import { Authenticator } from "./auth/Authenticator.ts"
import { AuthorizationLive } from "./auth/AuthorizationLive.ts"
import { PasswordHasher } from "./auth/PasswordHasher.ts"
import { RpcAuthorizationLive } from "./auth/RpcAuthorizationLive.ts"
import { SessionRepo } from "./auth/SessionRepo.ts"
import { UserMetrics } from "./auth/UserMetrics.ts"
import { UserRepo } from "./auth/UserRepo.ts"
import { BackgroundHttp } from "./background/BackgroundHttp.ts"
import { BackgroundRpcsLive } from "./background/BackgroundRpcsLive.ts"
import { BackgroundTasks } from "./background/BackgroundTasks.ts"
import { CleanupOutcomeLive } from "./background/CleanupOutcome.ts"
import { DeadLetters } from "./background/DeadLetters.ts"
import { DeadLettersHttp } from "./background/DeadLettersHttp.ts"
import { KnownKinds } from "./background/KnownKinds.ts"
import { QueueAdministration } from "./background/QueueAdministration.ts"
import { QueueRpcsLive } from "./background/QueueRpcsLive.ts"
import { BackgroundHealthHttp, QueuesHttp } from "./background/QueuesHttp.ts"
import { TaskCancellation } from "./background/TaskCancellation.ts"
import { TaskSubmissions } from "./background/TaskSubmissions.ts"
import { CallLimits } from "./cluster/CallLimits.ts"
import { CancelCourierLive } from "./cluster/CancelCourier.ts"
import { ClusterConfig } from "./cluster/ClusterConfig.ts"
import { ClusterStatus } from "./cluster/ClusterStatus.ts"
import { DispatcherLive } from "./cluster/Dispatcher.ts"
import { DrainOnStop } from "./cluster/DrainOnStop.ts"
import { Heartbeats } from "./cluster/Heartbeats.ts"
import { LeaseRescuerLive, Replica } from "./cluster/LeaseRescuer.ts"
import { PauseCourierLive } from "./cluster/PauseCourier.ts"
import { PausedWorkerRepo } from "./cluster/PausedWorkerRepo.ts"
import { Registrations } from "./cluster/Registrations.ts"
import { ScalingMetrics, ScalingSignal } from "./cluster/ScalingSignal.ts"
import { SessionMetrics } from "./cluster/SessionMetrics.ts"
import { SessionStream } from "./cluster/SessionStream.ts"
import { StreamAttachment } from "./cluster/StreamAttachment.ts"
import { WorkerAdministration } from "./cluster/WorkerAdministration.ts"
import { WorkerGateway } from "./cluster/WorkerGateway.ts"
import { WorkerReports } from "./cluster/WorkerReports.ts"
import { WorkerRpcsLive } from "./cluster/WorkerRpcsLive.ts"
import { WorkerSessionRepo } from "./cluster/WorkerSessionRepo.ts"
import { WorkerSessions } from "./cluster/WorkerSessions.ts"
import { WorkersCheck } from "./cluster/WorkersCheck.ts"
import { WorkersHttp } from "./cluster/WorkersHttp.ts"
import { Analytics } from "./analytics/Analytics.ts"
import { AnalyticsHttp } from "./analytics/AnalyticsHttp.ts"
import { AnalyticsRpcsLive } from "./analytics/AnalyticsRpcsLive.ts"
import { DataLive } from "./DataLive.ts"
import { Entries } from "./entries/Entries.ts"
import { EntriesHttp } from "./entries/EntriesHttp.ts"
import { EntryChanges } from "./entries/EntryChanges.ts"
import { EntryRepo } from "./entries/EntryRepo.ts"
import { EntryRpcsLive } from "./entries/EntryRpcsLive.ts"
import { EntryWordIndex, renewWordsOnStart } from "./entries/EntryWordIndex.ts"
import { DatabaseMetrics } from "./db/DatabaseMetrics.ts"
import { GoalProgress } from "./goals/GoalProgress.ts"
import { GoalRepo } from "./goals/GoalRepo.ts"
import { GoalRpcsLive } from "./goals/GoalRpcsLive.ts"
import { Goals } from "./goals/Goals.ts"
import { GoalsHttp } from "./goals/GoalsHttp.ts"
import { ApiDocs } from "./http/ApiDocs.ts"
import { DiskCheck } from "./http/health/DiskCheck.ts"
import { EdgePolicy } from "./http/edge/EdgePolicy.ts"
import { HealthChecks } from "./http/health/HealthChecks.ts"
import { HealthHttp } from "./http/health/HealthHttp.ts"
import { HttpListener } from "./http/edge/HttpListener.ts"
import { OpenStreams } from "./http/OpenStreams.ts"
import { RequestLimits } from "./http/edge/RequestLimits.ts"
import { RequestErrorsLive } from "./http/errors/RequestErrorsLive.ts"
import { IdempotencyRepo } from "./idempotency/IdempotencyRepo.ts"
import { IdempotentLive } from "./idempotency/IdempotentLive.ts"
import { InsightRepo } from "./insights/InsightRepo.ts"
import { InsightRpcsLive } from "./insights/InsightRpcsLive.ts"
import { Insights } from "./insights/Insights.ts"
import { InsightsHttp } from "./insights/InsightsHttp.ts"
import { InsightTasks } from "./insights/InsightTasks.ts"
import { NarrationOutcomesLive } from "./insights/NarrationOutcomes.ts"
import { Questions } from "./insights/Questions.ts"
import { JobRpcsLive } from "./jobs/JobRpcsLive.ts"
import { JobsHttp } from "./jobs/JobsHttp.ts"
import { nightlyJobs } from "./jobs/NightlyJobs.ts"
import { AnnouncedKinds } from "./kinds/AnnouncedKinds.ts"
import { LimitsLive } from "./LimitsLive.ts"
import { ProjectRepo } from "./projects/ProjectRepo.ts"
import { ProjectRpcsLive } from "./projects/ProjectRpcsLive.ts"
import { Projects } from "./projects/Projects.ts"
import { ProjectsHttp } from "./projects/ProjectsHttp.ts"
import { QueueLimits } from "./queue/Backpressure.ts"
import { Engine } from "./queue/Engine.ts"
import { QueueMetrics } from "./queue/QueueMetrics.ts"
import { QueueStatsRepo } from "./queue/QueueStatsRepo.ts"
import { Jobs } from "./replicas/Jobs.ts"
import { nightly } from "./replicas/Nightly.ts"
import { replicated } from "./replicas/Replicas.ts"
import { RunnerConfig } from "./replicas/RunnerConfig.ts"
import { RpcEndpoints } from "./rpc/RpcEndpoints.ts"
import { DueSchedules } from "./schedules/DueSchedules.ts"
import { ScheduleClock } from "./schedules/ScheduleClock.ts"
import { ScheduleRepo } from "./schedules/ScheduleRepo.ts"
import { ScheduleRpcsLive } from "./schedules/ScheduleRpcsLive.ts"
import { Schedules } from "./schedules/Schedules.ts"
import { SchedulesHttp } from "./schedules/SchedulesHttp.ts"
import { SecurityEventRepo } from "./security/SecurityEventRepo.ts"
import { SecurityEvents } from "./security/SecurityEvents.ts"
import { TaskCleanup } from "./queue/TaskCleanup.ts"
import { TagRpcsLive } from "./tags/TagRpcsLive.ts"
import { Tags } from "./tags/Tags.ts"
import { TagsHttp } from "./tags/TagsHttp.ts"
import { TaskAccess } from "./tasks/TaskAccess.ts"
import { TaskInspection } from "./tasks/TaskInspection.ts"
import { TaskRpcsLive } from "./tasks/TaskRpcsLive.ts"
import { TasksHttp } from "./tasks/TasksHttp.ts"
import { InvitationRepo } from "./teams/InvitationRepo.ts"
import { Invitations } from "./teams/Invitations.ts"
import { TeamRepo } from "./teams/TeamRepo.ts"
import { TeamRpcsLive } from "./teams/TeamRpcsLive.ts"
import { Teams } from "./teams/Teams.ts"
import { TeamsHttp } from "./teams/TeamsHttp.ts"

const queueLimits = Layer.effect(QueueLimits, Effect.map(AppConfig, (config) => config.queueLimits))

/** The engine; needs the data. Whoever embeds the server submits through it. */
export const queue = QueueMetrics.pipe(Layer.provideMerge(QueueStatsRepo.layer), Layer.provideMerge(Engine), Layer.provide(queueLimits))

const accounts = Layer.mergeAll(Accounts.layer, Authenticator.layer, UserMetrics, OwnAccount.layer, Leaving.layer, AccountExport.layer).pipe(
  Layer.provide(Ownership.layer),
  Layer.provide([ProfileRepo.layer, LeavingRepo.layer, ExportRepo.layer]),
  Layer.provideMerge(Layer.mergeAll(UserRepo.layer, SessionRepo.layer, ApiTokenRepo.layer)),
  Layer.provide(PasswordHasher.layer)
)

const entries = Layer.mergeAll(Entries.layer, Layer.provide(renewWordsOnStart, EntryWordIndex.layer)).pipe(
  Layer.provide(EntryChanges.layer),
  Layer.provideMerge(Projects.layer),
  Layer.provideMerge(Layer.mergeAll(EntryRepo.layer, ProjectRepo.layer))
)

const teams = Invitations.layer.pipe(Layer.provideMerge(Teams.layer), Layer.provide([TeamRepo.layer, InvitationRepo.layer]))

const goals = Goals.layer.pipe(Layer.provideMerge(GoalProgress.layer), Layer.provide(GoalRepo.layer))

const insights = Layer.mergeAll(Insights.layer, InsightTasks.layer, NarrationOutcomesLive).pipe(
  Layer.provide([Questions.layer, InsightRepo.layer])
)

const background = Layer.mergeAll(
  TaskSubmissions.layer, BackgroundTasks.layer, DeadLetters.layer, TaskCancellation.layer, QueueAdministration.layer, CleanupOutcomeLive
).pipe(Layer.provide(KnownKinds.layer), Layer.provideMerge(TaskCleanup.layer))

const schedules = Layer.mergeAll(Schedules.layer, DueSchedules.layer).pipe(Layer.provide(ScheduleRepo.layer))

/** What one API server does for all of them. */
const common = replicated(Layer.mergeAll(ScheduleClock, nightly(nightlyJobs))).pipe(
  Layer.provideMerge(Layer.provide(Jobs.layer(nightlyJobs), [SecurityEventRepo.layer, InsightRepo.layer, InvitationRepo.layer, IdempotencyRepo.layer])),
  Layer.provide([
    Layer.effect(RunnerConfig, Effect.map(AppConfig, ({ runner }) => RunnerConfig.of(runner)))
  ])
)

/** Every kind of task is known, and every noun ready, before the first worker may connect. */
const nouns = Layer.mergeAll(insights, common, goals, teams, Tags.layer, TaskInspection.layer, Analytics.layer).pipe(
  Layer.provideMerge(schedules),
  Layer.provideMerge(background),
  Layer.provideMerge(TaskAccess.layer),
  Layer.provideMerge(Layer.mergeAll(accounts, entries, AnnouncedKinds.layer)),
  Layer.provideMerge(queue)
)

const clusterConfig = Layer.effect(ClusterConfig, Effect.map(AppConfig, (config) => ClusterConfig.of(config)))

const workerEdge = Layer.unwrap(Effect.gen(function*() {
  const { grpcHost, grpcPort, tls } = yield* AppConfig
  return GrpcServer.layer(APIWorkerService, yield* WorkerGateway, {
    host: grpcHost,
    port: grpcPort,
    tls,
    untraced: ["workerHeartbeat", "streamTasks", "session"],
    observe: ({ code, method, seconds }) => Metrics.rpcServed.record({ method, code }, seconds)
  })
}))

const couriers = Layer.mergeAll(CancelCourierLive, Layer.provide(PauseCourierLive, PausedWorkerRepo.layer))

const cluster = Layer.mergeAll(DispatcherLive, couriers, LeaseRescuerLive, DrainOnStop, WorkersCheck, SessionMetrics, ScalingMetrics).pipe(
  Layer.provideMerge(workerEdge),
  Layer.provide(WorkerGateway.layer),
  Layer.provide(SessionStream.layer),
  Layer.provide([Registrations.layer, StreamAttachment.layer, WorkerReports.layer]),
  Layer.provide(Heartbeats.layer),
  Layer.provide(CallLimits.layer),
  Layer.provideMerge(Layer.mergeAll(ScalingSignal.layer, WorkerAdministration.layer)),
  Layer.provideMerge(ClusterStatus.layer),
  Layer.provideMerge(Replica.layer),
  Layer.provideMerge(Layer.mergeAll(WorkerSessionRepo.layer, WorkerSessions.layer, clusterConfig))
)

const rest = HttpApiBuilder.layer(EngLogApi).pipe(
  Layer.provide([AuthHttp.layer, EntriesHttp.layer, ProjectsHttp.layer, TasksHttp, InsightsHttp, WorkersHttp, HealthHttp.layer]),
  Layer.provide([TagsHttp, TeamsHttp, GoalsHttp, AnalyticsHttp]),
  Layer.provide([AccountHttp, JobsHttp, BackgroundHttp, SchedulesHttp, DeadLettersHttp, QueuesHttp, BackgroundHealthHttp]),
  Layer.provide([AuthorizationLive, IdempotentLive, RequestErrorsLive])
)

const rpc = RpcEndpoints.pipe(
  Layer.provide([ProjectRpcsLive, TagRpcsLive, TeamRpcsLive, GoalRpcsLive, AnalyticsRpcsLive, AccountRpcsLive, JobRpcsLive]),
  Layer.provide([EntryRpcsLive, TaskRpcsLive, BackgroundRpcsLive, QueueRpcsLive, ScheduleRpcsLive, InsightRpcsLive, WorkerRpcsLive]),
  Layer.provide(RpcAuthorizationLive)
)

const listener = Layer.unwrap(Effect.map(AppConfig, (config) => HttpListener.layer({ host: config.httpHost, port: config.httpPort })))

/** Built after the server, so that it acts before the server stops. */
const endStreamsOnStop = Layer.effectDiscard(Effect.gen(function*() {
  yield* HttpServer.HttpServer
  const streams = yield* OpenStreams
  yield* Effect.addFinalizer(() => streams.end)
}))

const metrics = Layer.unwrap(Effect.map(AppConfig, (config) => metricsRoute(config.telemetry.metricsToken)))

const edgePolicy = Layer.effect(EdgePolicy, Effect.map(AppConfig, (config) => config.edge))

const announce = Layer.effectDiscard(Effect.gen(function*() {
  const http = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
  const grpc = yield* GrpcServer
  yield* Effect.logInfo(`listening: HTTP on ${http}, gRPC on ${grpc.host}:${grpc.port}`).pipe(
    Effect.annotateLogs({ component: "api", operation: "start" })
  )
}))

/** Requires the configuration; provides the addresses it listens on. */
export const ApiServer = Layer.mergeAll(announce, endStreamsOnStop, DiskCheck).pipe(
  Layer.provideMerge(HttpListener.serve(Layer.mergeAll(rest, rpc, ApiDocs.layer, metrics))),
  Layer.provideMerge(listener),
  Layer.provideMerge(cluster),
  Layer.provide([nouns, DatabaseMetrics]),
  Layer.provide(RequestLimits.layer),
  Layer.provide(LimitsLive),
  Layer.provide(SecurityEvents.layer),
  Layer.provide(edgePolicy),
  Layer.provide(DataLive),
  Layer.provide(OpenStreams.layer),
  Layer.provide(HealthChecks.layer),
  Layer.provide(NodeServices.layer)
)
