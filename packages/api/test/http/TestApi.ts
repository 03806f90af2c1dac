/**
 * The groups of accounts, entries, projects, tags, teams, goals and health behind the real edge, on a free port and a fresh database.
 */
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { UserId } from "@englog/domain/Ids"
import { AnalyticsApi } from "@englog/rpc/http/AnalyticsApi"
import { AuthApi } from "@englog/rpc/http/AuthApi"
import { EntriesApi } from "@englog/rpc/http/EntriesApi"
import { DocumentUploadsApi } from "@englog/rpc/http/DocumentUploadsApi"
import { ExportsApi } from "@englog/rpc/http/ExportsApi"
import { FeedsApi } from "@englog/rpc/http/FeedsApi"
import { GoalsApi } from "@englog/rpc/http/GoalsApi"
import { HealthApi } from "@englog/rpc/http/HealthApi"
import { ProjectsApi } from "@englog/rpc/http/ProjectsApi"
import { RequestErrors } from "@englog/rpc/http/RequestErrors"
import { TagsApi } from "@englog/rpc/http/TagsApi"
import { TeamsApi } from "@englog/rpc/http/TeamsApi"
import { Context, Effect, Layer, Predicate, Redacted, References } from "effect"
import { HttpClient, HttpClientRequest, HttpMethod, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import type { SqlClient } from "effect/sql"
import { Analytics } from "../../src/analytics/Analytics.ts"
import { UserMetricsRefresh } from "../../src/analytics/UserMetricsRefresh.ts"
import { AnalyticsHttp } from "../../src/analytics/AnalyticsHttp.ts"
import { Accounts } from "../../src/auth/Accounts.ts"
import { Authenticator } from "../../src/auth/Authenticator.ts"
import { ApiTokenRepo } from "../../src/auth/ApiTokenRepo.ts"
import { AuthHttp } from "../../src/auth/AuthHttp.ts"
import { AuthorizationLive } from "../../src/auth/AuthorizationLive.ts"
import { Jwt } from "../../src/auth/Jwt.ts"
import { PasswordHasher } from "../../src/auth/PasswordHasher.ts"
import { RateLimits } from "../../src/security/RateLimits.ts"
import { SessionRepo } from "../../src/auth/SessionRepo.ts"
import { UserRepo } from "../../src/auth/UserRepo.ts"
import { CalendarFeeds } from "../../src/exports/CalendarFeeds.ts"
import { CsvExport } from "../../src/exports/CsvExport.ts"
import { ExportsHttp, FeedsHttp } from "../../src/exports/ExportsHttp.ts"
import { FeedRepo } from "../../src/exports/FeedRepo.ts"
import { FieldCipher } from "../../src/crypto/FieldCipher.ts"
import { Entries } from "../../src/entries/Entries.ts"
import { EntriesHttp } from "../../src/entries/EntriesHttp.ts"
import { EntryChanges } from "../../src/entries/EntryChanges.ts"
import { EntryRepo } from "../../src/entries/EntryRepo.ts"
import { HealthChecks } from "../../src/http/health/HealthChecks.ts"
import { HealthHttp } from "../../src/http/health/HealthHttp.ts"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"
import { type ConnectionBounds, connectionBounds } from "../../src/http/edge/ConnectionGuards.ts"
import { EdgePolicy, openPolicy } from "../../src/http/edge/EdgePolicy.ts"
import { RequestLimits } from "../../src/http/edge/RequestLimits.ts"
import { OpenStreams } from "../../src/http/OpenStreams.ts"
import { IdempotentLive } from "../../src/idempotency/IdempotentLive.ts"
import { RequestErrorsLive } from "../../src/http/errors/RequestErrorsLive.ts"
import { GoalProgress } from "../../src/goals/GoalProgress.ts"
import { GoalRepo } from "../../src/goals/GoalRepo.ts"
import { Goals } from "../../src/goals/Goals.ts"
import { GoalsHttp } from "../../src/goals/GoalsHttp.ts"
import { ProjectRepo } from "../../src/projects/ProjectRepo.ts"
import { Projects } from "../../src/projects/Projects.ts"
import { ProjectsHttp } from "../../src/projects/ProjectsHttp.ts"
import { DocumentUploads } from "../../src/documents/DocumentUploads.ts"
import { DocumentUploadsHttp } from "../../src/documents/DocumentUploadsHttp.ts"
import { UploadRepo } from "../../src/documents/UploadRepo.ts"
import { SecurityEventRepo } from "../../src/security/SecurityEventRepo.ts"
import { SecurityEvents } from "../../src/security/SecurityEvents.ts"
import { MailRepo } from "../../src/mail/MailRepo.ts"
import { Mails } from "../../src/mail/Mails.ts"
import { QueueLimits } from "../../src/queue/Backpressure.ts"
import { Engine } from "../../src/queue/Engine.ts"
import { EngineSql } from "../../src/queue/EngineSql.ts"
import { Tags } from "../../src/tags/Tags.ts"
import { TagsHttp } from "../../src/tags/TagsHttp.ts"
import { InvitationRepo } from "../../src/teams/InvitationRepo.ts"
import { Invitations } from "../../src/teams/Invitations.ts"
import { TeamRepo } from "../../src/teams/TeamRepo.ts"
import { Teams } from "../../src/teams/Teams.ts"
import { TaskAccess } from "../../src/tasks/TaskAccess.ts"
import { TeamsHttp } from "../../src/teams/TeamsHttp.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

export const encryptionKeys = Redacted.make(`k1:${Buffer.alloc(32, 7).toString("base64")}`)
export const jwtSecret = Redacted.make("a secret of the test suite that is long enough")

class PartOfTheApi extends HttpApi.make("englog").add(AuthApi).add(EntriesApi).add(ProjectsApi)
  .add(TagsApi).add(TeamsApi).add(GoalsApi).add(ExportsApi).add(FeedsApi).add(AnalyticsApi).add(DocumentUploadsApi).add(HealthApi).middleware(RequestErrors) {}

const Repos = SecurityEvents.layerWriter.pipe(
  Layer.provideMerge(Layer.mergeAll(EntryRepo.layer, ProjectRepo.layer, UserRepo.layer, SessionRepo.layer, ApiTokenRepo.layer, SecurityEventRepo.layer)),
  Layer.provideMerge(FieldCipher.layer(encryptionKeys))
)

const nouns = Layer.mergeAll(Entries.layer, Analytics.layer, Tags.layer, Goals.layer, Invitations.layer, CsvExport.layer, CalendarFeeds.layer).pipe(
  Layer.provide(EntryChanges.layer),
  Layer.provideMerge(UserMetricsRefresh.layer),
  Layer.provideMerge(Layer.mergeAll(Projects.layer, GoalProgress.layer, Teams.layer)),
  Layer.provide([GoalRepo.layer, TeamRepo.layer, FeedRepo.layer, OpenStreams.layer]),
  Layer.provideMerge(InvitationRepo.layer)
)

const uploads = DocumentUploads.layer.pipe(Layer.provide([UploadRepo.layer, TaskAccess.layer]))

const queue = Engine.pipe(Layer.provide([EngineSql.layer, Layer.succeed(QueueLimits, { perQueue: 0, perTenant: 0 })]))

const mail = Mails.layer.pipe(Layer.provide(MailRepo.layer))

export const Services = Layer.mergeAll(Accounts.layer, Authenticator.layer, nouns, uploads, RequestLimits.layer).pipe(
  Layer.provide(mail),
  Layer.provide(queue),
  Layer.provideMerge(Layer.mergeAll(Repos, Jwt.layer(jwtSecret), PasswordHasher.layer, RateLimits.layerMemory, HealthChecks.layer))
)

const Routes = HttpApiBuilder.layer(PartOfTheApi).pipe(
  Layer.provide([AuthHttp.layer, EntriesHttp.layer, ProjectsHttp.layer, TagsHttp, TeamsHttp, GoalsHttp, AnalyticsHttp, DocumentUploadsHttp, ExportsHttp, FeedsHttp, HealthHttp.layer]),
  Layer.provide([AuthorizationLive, IdempotentLive, RequestErrorsLive])
)

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** Parsed where it is JSON, else null. */
  readonly body: unknown
  /** What lies at a path in the body; undefined where there is nothing. */
  readonly at: (...path: ReadonlyArray<string | number>) => unknown
  /** The body's `error`; empty where it has none. */
  readonly error: string
}

export interface Ask {
  readonly token?: string
  readonly body?: unknown
  /** As it is, instead of `body`. */
  readonly raw?: string
  readonly headers?: Record<string, string>
}

export class TestApi extends Context.Service<TestApi, {
  readonly ask: (method: HttpMethod.HttpMethod, path: string, ask?: Ask) => Effect.Effect<Answer>
}>()("@englog/api/test/TestApi") {
  static readonly client = Layer.effect(
    TestApi,
    Effect.gen(function*() {
      const http = yield* HttpClient.HttpClient
      const { address } = yield* HttpServer.HttpServer
      const port = "port" in address ? address.port : 0
      return TestApi.of({
        ask: Effect.fnUntraced(function*(method, path, { body, headers, raw, token } = {}) {
          const bare = HttpClientRequest.make(method)(`http://127.0.0.1:${port}${path}`, {
            headers: { ...token === undefined ? {} : { authorization: `Bearer ${token}` } }
          })
          const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
          const request = (text === undefined ? bare : HttpClientRequest.bodyText(bare, text, "application/json")).pipe(
            HttpClientRequest.setHeaders(headers ?? {})
          )
          const response = yield* http.execute(request)
          const answered = yield* response.text
          const isJson = method !== "HEAD" && (response.headers["content-type"] ?? "").includes("json")
          const parsed: unknown = isJson ? JSON.parse(answered) : null
          const at = (...path: ReadonlyArray<string | number>) =>
            path.reduce<unknown>((value, key) => Predicate.hasProperty(value, key) ? value[key] : undefined, parsed)
          return {
            status: response.status,
            headers: response.headers,
            text: answered,
            body: parsed,
            at,
            error: String(at("error") ?? "")
          }
        }, Effect.orDie, Effect.provideService(HttpClient.TracerPropagationEnabled, false))
      })
    })
  )

  static readonly layer = Layer.suspend(() => serverOn(TestDatabase.layer))

  /** The server behind an edge that is configured. */
  static readonly behind = (policy: Partial<EdgePolicy>) =>
    Layer.suspend(() => serverOn(TestDatabase.layer)).pipe(Layer.provide(Layer.succeed(EdgePolicy, { ...openPolicy, ...policy })), Layer.fresh)
}

/** The server on a database, and a client to it. */
export const serverOn = <A, E, R = never>(database: Layer.Layer<A | SqlClient.SqlClient, E, R>, bounds: ConnectionBounds = connectionBounds) =>
  TestApi.client.pipe(
    Layer.provideMerge(HttpListener.serve(Routes)),
    Layer.provideMerge(HttpListener.layer({ host: "127.0.0.1", port: 0, drain: "100 millis", bounds })),
    Layer.provideMerge(Services),
    Layer.provideMerge(database),
    Layer.provide([NodeHttpClient.layerNodeHttp, NodeServices.layer, Layer.succeed(References.MinimumLogLevel, "Warn")]),
    Layer.orDie
  )

export const password = "correct horse battery"

/** A new account and its tokens. */
export const register = Effect.fnUntraced(function*(email: string, more: Record<string, unknown> = {}) {
  const { ask } = yield* TestApi
  const answer = yield* ask("POST", "/v1/auth/register", {
    body: { email, password, first_name: "Ada", last_name: "Lovelace", ...more }
  })
  if (answer.status !== 201) return yield* Effect.die(new Error(`register answered ${answer.status}: ${answer.text}`))
  return {
    token: String(answer.at("access_token")),
    refresh: String(answer.at("refresh_token")),
    id: UserId.make(String(answer.at("user", "id")))
  }
})

export const entry = {
  title: "Fix the login race",
  type: "code",
  start_time: "2026-01-05T09:00:00Z",
  end_time: "2026-01-05T10:30:00Z"
}
