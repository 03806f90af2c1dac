/**
 * The worker's own `GET /metrics`, and `GET /health` (seed 001): 200 while tasks can arrive, 503 while there is no connection to an API server.
 * `degraded`: it works, but draining, or without the language model that was configured. It tells what is known, and waits
 * for nobody: a probe gets its answer while everything else hangs.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { metricsRoute } from "@englog/platform/telemetry/MetricsRoute"
import { DateTime, Duration, Effect, Layer, Option, Ref, Schema, SubscriptionRef } from "effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createServer } from "node:http"
import { ApiLink } from "./ApiLink.ts"
import { AppConfig } from "./AppConfig.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import { isServing } from "./LinkState.ts"
import { ModelCalls } from "./llm/ModelCalls.ts"
import { type Choice, ModelChoice } from "./llm/ModelChoice.ts"
import { ProcessUsage } from "./ProcessUsage.ts"
import * as WorkerMetrics from "./WorkerMetrics.ts"
import { WORKER_VERSION } from "./WorkerVersion.ts"

export class HealthPortError extends Schema.TaggedError<HealthPortError>()("HealthPortError", {
  port: Schema.Int,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** First port tried where WORKER_HEALTH_PORT is unset; so many are tried. */
const FIRST_PORT = 8091
const PORTS = 100

export const report = Effect.gen(function*() {
  const config = yield* AppConfig
  const link = yield* ApiLink
  const ledger = yield* AttemptLedger
  const usage = yield* ProcessUsage
  const state = yield* SubscriptionRef.get(link.state)
  const counts = ledger.counts()
  const choice = yield* (yield* ModelChoice).lastKnown
  const breaker = yield* (yield* ModelCalls).breaker.state
  const draining = yield* Ref.get(ledger.draining)
  const { cpu, memory } = yield* usage.read
  const serving = isServing(state)
  const model = Option.match(choice, { onNone: () => unknownModel, onSome: modelOf })
  const degraded = draining || model.problem !== null || breaker !== "closed"
  return {
    status: !serving ? "unhealthy" as const : degraded ? "degraded" as const : "healthy" as const,
    worker_id: config.workerId,
    worker_name: config.workerName,
    version: WORKER_VERSION,
    connection: {
      state: state.connection,
      api_server: Option.getOrNull(state.address),
      failed_tries: state.failures,
      problem: Option.getOrNull(state.problem)
    },
    tasks: { active: ledger.held.size, ...counts, max_concurrent: config.maxConcurrent, draining },
    model: { ...model, circuit_breaker: breaker },
    registration_circuit_breaker: yield* link.registrationBreaker.state,
    cpu_usage: cpu,
    memory_mib: Math.round(memory),
    started_at: DateTime.formatIso(usage.startedAt),
    uptime_seconds: Math.floor(Duration.toSeconds(DateTime.distance(usage.startedAt, yield* DateTime.now)))
  }
})

interface ModelHealth {
  readonly provider: string
  readonly name: string
  /** Null: not known yet. */
  readonly available: boolean | null
  readonly problem: string | null
}

/** Before the first answer of what was configured. */
const unknownModel: ModelHealth = { provider: "unknown", name: "unknown", available: null, problem: null }

const modelOf = ({ model, problem }: Choice): ModelHealth => ({
  provider: Option.match(model, { onNone: () => "builtin", onSome: (found) => found.system }),
  name: Option.match(model, { onNone: () => "builtin", onSome: (found) => found.model }),
  available: Option.isNone(problem),
  problem: Option.getOrNull(problem)
})

const route = HttpRouter.add(
  "GET",
  "/health",
  Effect.map(report, (body) => HttpServerResponse.jsonUnsafe(body, { status: body.status === "unhealthy" ? 503 : 200 }))
)

const metrics = Layer.unwrap(Effect.map(AppConfig, (config) => metricsRoute(config.telemetry.metricsToken)))

const server = Layer.effect(
  HttpServer.HttpServer,
  Effect.gen(function*() {
    const { healthHost: host, healthPort } = yield* AppConfig
    const listen = (port: number) => NodeHttpServer.make(createServer, { host, port })
    if (Option.isSome(healthPort)) {
      const port = healthPort.value
      return yield* Effect.mapError(listen(port), (cause) =>
        new HealthPortError({ port, message: `WORKER_HEALTH_PORT ${port} on ${host} cannot be used; is it taken?`, cause }))
    }
    return yield* Effect.firstSuccessOf(Array.from({ length: PORTS }, (_, index) => listen(FIRST_PORT + index))).pipe(
      Effect.mapError((cause) =>
        new HealthPortError({ port: FIRST_PORT, message: `no free port from ${FIRST_PORT} on; set WORKER_HEALTH_PORT`, cause }))
    )
  })
)

const announced = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Effect.logInfo(`health at http://${HttpServer.formatAddress(address).replace(/^\w+:\/\//, "")}/health`))
)

/** Only probes ask here: they would drown everything else. */
const untraced = Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true)

/** Serves as long as the layer lives. */
export const layer = Layer.mergeAll(
  WorkerMetrics.layer,
  HttpRouter.serve(Layer.merge(route, metrics), { disableLogger: true, disableListenLog: true }),
  announced
).pipe(Layer.provide(server), Layer.provide(untraced))
