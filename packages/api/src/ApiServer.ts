/**
 * The API server, assembled: data, queue, cluster, nouns, and the HTTP, RPC and gRPC edges in front of them.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { metricsRoute } from "@englog/platform/telemetry/MetricsRoute"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { DailyAnalysis } from "./analytics/DailyAnalysis.ts"
import { UserMetricsRefresh } from "./analytics/UserMetricsRefresh.ts"
import { AppConfig } from "./AppConfig.ts"
import { DataLive } from "./layers/DataLive.ts"
import { DatabaseMetrics } from "./db/DatabaseMetrics.ts"
import { ApiDocs } from "./http/ApiDocs.ts"
import { EdgePolicy } from "./http/edge/EdgePolicy.ts"
import { HttpListener } from "./http/edge/HttpListener.ts"
import { RequestLimits } from "./http/edge/RequestLimits.ts"
import { DiskCheck } from "./http/health/DiskCheck.ts"
import { HealthChecks } from "./http/health/HealthChecks.ts"
import { OpenStreams } from "./http/OpenStreams.ts"
import { AnnouncedKinds } from "./kinds/AnnouncedKinds.ts"
import { AccountsLive } from "./layers/AccountsLive.ts"
import { AnalyticsLive } from "./layers/AnalyticsLive.ts"
import { BackgroundLive } from "./layers/BackgroundLive.ts"
import { ClusterLive } from "./layers/ClusterLive.ts"
import { CommonWork } from "./layers/CommonWork.ts"
import { DocumentsLive } from "./layers/DocumentsLive.ts"
import { RestEndpoints, RpcsLive } from "./layers/Endpoints.ts"
import { EntriesLive } from "./layers/EntriesLive.ts"
import { ExportsLive } from "./layers/ExportsLive.ts"
import { GoalsLive } from "./layers/GoalsLive.ts"
import { ImportsLive } from "./layers/ImportsLive.ts"
import { InsightsLive } from "./layers/InsightsLive.ts"
import { MailLive } from "./layers/MailLive.ts"
import { N8nLive } from "./layers/N8nLive.ts"
import { NotificationsLive } from "./layers/NotificationsLive.ts"
import { SchedulesLive } from "./layers/SchedulesLive.ts"
import { SuggestionsLive } from "./layers/SuggestionsLive.ts"
import { TeamsLive } from "./layers/TeamsLive.ts"
import { WebhooksLive } from "./layers/WebhooksLive.ts"
import { LimitsLive } from "./layers/LimitsLive.ts"
import { UnsubscribeRoute } from "./mail/UnsubscribeRoute.ts"
import { QueueLimits } from "./queue/Backpressure.ts"
import { Engine } from "./queue/Engine.ts"
import { QueueMetrics } from "./queue/QueueMetrics.ts"
import { QueueStatsRepo } from "./queue/QueueStatsRepo.ts"
import { SecurityEvents } from "./security/SecurityEvents.ts"
import { Tags } from "./tags/Tags.ts"
import { TaskAccess } from "./tasks/TaskAccess.ts"
import { TaskInspection } from "./tasks/TaskInspection.ts"

const queueLimits = Layer.effect(QueueLimits, Effect.map(AppConfig, (config) => config.queueLimits))

/** The engine; needs the data. Whoever embeds the server submits through it. */
export const queue = QueueMetrics.pipe(Layer.provideMerge(QueueStatsRepo.layer), Layer.provideMerge(Engine), Layer.provide(queueLimits))

/** Every kind of task is known, and every noun ready, before the first worker may connect. */
const nouns = Layer.mergeAll(InsightsLive, SuggestionsLive, CommonWork, ExportsLive, TeamsLive, Tags.layer, TaskInspection.layer, AnalyticsLive, DailyAnalysis.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(ImportsLive, N8nLive, NotificationsLive, DocumentsLive, WebhooksLive)),
  Layer.provideMerge(GoalsLive),
  Layer.provideMerge(SchedulesLive),
  Layer.provideMerge(UserMetricsRefresh.layer),
  Layer.provideMerge(BackgroundLive),
  Layer.provideMerge(TaskAccess.layer),
  Layer.provideMerge(Layer.mergeAll(AccountsLive, EntriesLive, AnnouncedKinds.layer)),
  Layer.provideMerge(MailLive),
  Layer.provideMerge(queue)
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
  Layer.provideMerge(HttpListener.serve(Layer.mergeAll(RestEndpoints, RpcsLive, ApiDocs.layer, UnsubscribeRoute, metrics))),
  Layer.provideMerge(listener),
  Layer.provideMerge(ClusterLive),
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
