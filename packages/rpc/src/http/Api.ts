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
import { DocumentsApi } from "./DocumentsApi.ts"
import { DocumentUploadsApi } from "./DocumentUploadsApi.ts"
import { EntriesApi } from "./EntriesApi.ts"
import { ExportsApi, PdfApi } from "./ExportsApi.ts"
import { FeedsApi } from "./FeedsApi.ts"
import { GoalsApi } from "./GoalsApi.ts"
import { HealthApi } from "./HealthApi.ts"
import { documented, scopesOf } from "./OpenApiDocument.ts"
import { ImportsApi } from "./ImportsApi.ts"
import { InboxApi } from "./InboxApi.ts"
import { InsightsApi } from "./InsightsApi.ts"
import { IntegrationsApi } from "./IntegrationsApi.ts"
import { JobsApi } from "./JobsApi.ts"
import { MailApi } from "./MailApi.ts"
import { N8nApi } from "./N8nApi.ts"
import { NotificationsApi } from "./NotificationsApi.ts"
import { ProjectsApi } from "./ProjectsApi.ts"
import { QueuesApi } from "./QueuesApi.ts"
import { RequestErrors } from "./RequestErrors.ts"
import { SchedulesApi } from "./SchedulesApi.ts"
import { SuggestionsApi } from "./SuggestionsApi.ts"
import { TagsApi } from "./TagsApi.ts"
import { TasksApi } from "./TasksApi.ts"
import { TeamsApi } from "./TeamsApi.ts"
import { WebhooksApi } from "./WebhooksApi.ts"
import { WorkersApi } from "./WorkersApi.ts"

const groups = HttpApi.make("englog")
  .add(AuthApi)
  .add(AccountApi)
  .add(EntriesApi)
  .add(ProjectsApi)
  .add(AnalyticsApi)
  .add(TagsApi)
  .add(TeamsApi)
  .add(GoalsApi)
  .add(ExportsApi)
  .add(FeedsApi)
  .add(PdfApi)
  .add(TasksApi)
  .add(BackgroundApi)
  .add(DocumentsApi)
  .add(DocumentUploadsApi)
  .add(WebhooksApi)
  .add(DeadLettersApi)
  .add(QueuesApi)
  .add(BackgroundHealthApi)
  .add(SchedulesApi)
  .add(IntegrationsApi)
  .add(N8nApi)
  .add(NotificationsApi)
  .add(InsightsApi)
  .add(ImportsApi)
  .add(InboxApi)
  .add(SuggestionsApi)
  .add(WorkersApi)
  .add(MailApi)
  .add(JobsApi)
  .add(HealthApi)
  .middleware(RequestErrors)
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error", errors: "all" })

export class EngLogApi extends groups.annotateMerge(OpenApi.annotations({
  title: "EngLog",
  version: "1.0.0",
  license: { name: "UNLICENSED", identifier: "LicenseRef-UNLICENSED" },
  servers: [{ url: "/", description: "The server that the document comes from." }],
  description: "Record what you did as a software engineer; get back insights, reports and answers that can be trusted. "
    + "Errors are `{\"error\": \"<what is wrong and where>\", \"code\", \"details\"}`: a sentence, a word for programs (`ErrorCode`), and the "
    + "fields that are wrong or the seconds to wait. Lists are `{items, next_cursor}`. Log in at "
    + "`/v1/auth/login` and send `Authorization: Bearer <access_token>`, or make an API token at `/v1/users/tokens` and send that.",
  transform: (document) => documented(document, scopesOf(groups))
})) {}
