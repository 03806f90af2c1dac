/**
 * The REST API of EngLog: one group per noun. Requests may hold no unknown field; every problem of a request is told.
 */
import { HttpApi, OpenApi } from "effect/http-api"
import { AccountApi } from "./AccountApi.ts"
import { AnalyticsApi } from "./AnalyticsApi.ts"
import { AuthApi } from "./AuthApi.ts"
import { BackgroundApi } from "./BackgroundApi.ts"
import { BackgroundHealthApi } from "./BackgroundHealthApi.ts"
import { DeadLettersApi } from "./DeadLettersApi.ts"
import { EntriesApi } from "./EntriesApi.ts"
import { GoalsApi } from "./GoalsApi.ts"
import { HealthApi } from "./HealthApi.ts"
import { documented } from "./OpenApiDocument.ts"
import { InsightsApi } from "./InsightsApi.ts"
import { JobsApi } from "./JobsApi.ts"
import { ProjectsApi } from "./ProjectsApi.ts"
import { QueuesApi } from "./QueuesApi.ts"
import { RequestErrors } from "./RequestErrors.ts"
import { SchedulesApi } from "./SchedulesApi.ts"
import { TagsApi } from "./TagsApi.ts"
import { TasksApi } from "./TasksApi.ts"
import { TeamsApi } from "./TeamsApi.ts"
import { WorkersApi } from "./WorkersApi.ts"

export class EngLogApi extends HttpApi.make("englog")
  .add(AuthApi)
  .add(AccountApi)
  .add(EntriesApi)
  .add(ProjectsApi)
  .add(AnalyticsApi)
  .add(TagsApi)
  .add(TeamsApi)
  .add(GoalsApi)
  .add(TasksApi)
  .add(BackgroundApi)
  .add(DeadLettersApi)
  .add(QueuesApi)
  .add(BackgroundHealthApi)
  .add(SchedulesApi)
  .add(InsightsApi)
  .add(WorkersApi)
  .add(JobsApi)
  .add(HealthApi)
  .middleware(RequestErrors)
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotateMerge(OpenApi.annotations({
    title: "EngLog",
    version: "1.0.0",
    description: "Record what you did as a software engineer; get back insights, reports and answers that can be trusted. "
      + "Errors are `{\"error\": \"<what is wrong and where>\"}`, lists are `{items, next_cursor}`. Log in at "
      + "`/v1/auth/login` and send `Authorization: Bearer <access_token>`, or make an API token at `/v1/users/tokens` and send that.",
    transform: documented
  }))
{}
