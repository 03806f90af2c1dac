/**
 * Projects (seed 004, `/v1/projects`): what entries are recorded for.
 */
import { ProjectId } from "@englog/domain/Ids"
import { Project, ProjectStatus } from "@englog/domain/projects/Project"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { NotFound } from "./HttpErrors.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyProjectFields } from "./ReadOnlyFields.ts"
import { LocalDate } from "./Times.ts"

export const ProjectPayload = Schema.Struct({
  name: TrimmedText({ min: 1, max: 200 }).annotate({ examples: ["Billing service"] }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  status: ProjectStatus.pipe(Schema.withDecodingDefaultKey(Effect.succeed("active" as const))),
  start_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  end_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  team_id: Schema.optionalKey(Schema.Null),
  ...readOnlyProjectFields
}).check(
  Schema.makeFilter((project: { readonly start_date?: string | null; readonly end_date?: string | null }) =>
    project.start_date != null && project.end_date != null && project.end_date < project.start_date
      ? { path: ["end_date"], issue: "must not be before start_date" }
      : undefined, { toJsonSchema: () => [{}, true] })
).annotate({ identifier: "ProjectPayload" })

export type ProjectPayload = typeof ProjectPayload.Type

export const ProjectPage = Page(Project).annotate({ identifier: "ProjectPage" })

export class ProjectsApi extends HttpApiGroup.make("projects").add(
  HttpApiEndpoint.post("create", "/v1/projects", {
    payload: ProjectPayload,
    success: HttpApiSchema.WithHeaders(Project.pipe(HttpApiSchema.status(201)), { location: Schema.String })
  }).annotateMerge(OpenApi.annotations({ summary: "Create a project" })),
  HttpApiEndpoint.get("list", "/v1/projects", { query: pageQuery, success: ProjectPage })
    .annotateMerge(OpenApi.annotations({ summary: "List projects, newest first" })),
  HttpApiEndpoint.get("get", "/v1/projects/:id", { params: { id: ProjectId }, success: Project, error: NotFound })
    .annotateMerge(OpenApi.annotations({ summary: "Read a project" }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Projects",
  description: "What entries are recorded for."
})) {}
