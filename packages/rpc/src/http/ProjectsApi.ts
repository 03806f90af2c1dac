/**
 * Projects (seed 004, `/v1/projects`): what entries are recorded for.
 */
import { ProjectId } from "@englog/domain/Ids"
import { Project, ProjectStatus } from "@englog/domain/projects/Project"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { NotFound } from "./HttpErrors.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyProjectFields } from "./ReadOnlyFields.ts"
import { inOrder, LocalDate } from "./Times.ts"

export const ProjectPayload = Schema.Struct({
  name: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  status: ProjectStatus.annotate({ default: "active" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("active" as const))),
  start_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  end_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  team_id: Schema.optionalKey(Schema.Null),
  ...readOnlyProjectFields
}).check(inOrder("start_date", "end_date")).annotate({ identifier: "ProjectPayload" })

export type ProjectPayload = typeof ProjectPayload.Type

export const ProjectPage = Page(Project).annotate({ identifier: "ProjectPage" })

const exampleRequest = { name: "Billing service", description: "Invoices and payments", status: "active", start_date: "2026-01-05" }
const example = {
  ...exampleRequest,
  id: "0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  end_date: null,
  team_id: null,
  created_by: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  created_at: "2026-01-05T08:00:00.000Z",
  updated_at: "2026-01-05T08:00:00.000Z"
}

export class ProjectsApi extends HttpApiGroup.make("projects").add(
  HttpApiEndpoint.post("create", "/v1/projects", {
    payload: ProjectPayload,
    success: HttpApiSchema.WithHeaders(Project.pipe(HttpApiSchema.status(201)), { location: Schema.String })
  }).annotateMerge(OpenApi.annotations({
    summary: "Create a project",
    transform: examples({ request: exampleRequest, response: example })
  })),
  HttpApiEndpoint.get("list", "/v1/projects", { query: pageQuery, success: ProjectPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List projects, newest first",
      transform: examples({ response: { items: [example], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/projects/:id", { params: { id: ProjectId }, success: Project, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read a project", transform: examples({ response: example }) }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Projects",
  description: "What entries are recorded for."
})) {}
