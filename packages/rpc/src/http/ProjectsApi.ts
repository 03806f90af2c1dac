/**
 * Projects (seed 004, `/v1/projects`): what entries are recorded for.
 */
import { OrganizationId, ProjectId } from "@englog/domain/Ids"
import { Project, ProjectStatus } from "@englog/domain/projects/Project"
import { ProjectStats } from "@englog/domain/projects/ProjectStats"
import { Sharing, SharingLevel } from "@englog/domain/projects/Sharing"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { Color } from "./Color.ts"
import { createdWithEtagHeader, ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { Page, pageQuery } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import * as Example from "./ProjectExamples.ts"
import { readOnlyProjectFields } from "./ReadOnlyFields.ts"
import { inOrder, Instant, LocalDate } from "./Times.ts"

export const ProjectPayload = Schema.Struct({
  name: TrimmedText({ min: 1, max: 200 }),
  description: Schema.optionalKey(Schema.NullOr(PlainText({ max: 2000 }))),
  status: ProjectStatus.annotate({ default: "active" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("active" as const))),
  color: Schema.optionalKey(Schema.NullOr(Color)),
  start_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  end_date: Schema.optionalKey(Schema.NullOr(LocalDate)),
  team_id: Schema.optionalKey(Schema.NullOr(OrganizationId)).pipe(Schema.annotateKey({
    description: "A team whose projects you steer. Where a project is replaced and this is left out, it stays where it is; a team's project stays the team's."
  })),
  ...readOnlyProjectFields
}).check(inOrder("start_date", "end_date")).annotate({ identifier: "ProjectPayload" })

export type ProjectPayload = typeof ProjectPayload.Type

export const ProjectPage = Page(Project).annotate({ identifier: "ProjectPage" })

export const ProjectQuery = Schema.Struct({
  status: Schema.optionalKey(ProjectStatus),
  archived: Schema.optionalKey(Schema.Literals(["true", "false", "all"]).annotate({ description: "Default: false, those that are not archived." })),
  team_id: Schema.optionalKey(OrganizationId.annotate({ description: "Those of this team; without it those of all your teams and your own." })),
  ...pageQuery
})
export type ProjectQuery = typeof ProjectQuery.Type

/** Days are local days of each entry's author, both inclusive. */
export const StatsQuery = Schema.Struct({
  start_date: Schema.optionalKey(LocalDate),
  end_date: Schema.optionalKey(LocalDate)
}).check(inOrder("start_date", "end_date"))
export type StatsQuery = typeof StatsQuery.Type

export const SharingPayload = Schema.Struct({
  level: SharingLevel,
  since: Schema.optionalKey(Schema.NullOr(Instant)).pipe(Schema.annotateKey({
    description: "Entries that start earlier are not shared; null: all are. Left out: as it was, or from now on where nothing was shared."
  })),
  project_id: readOnlyProjectFields.id,
  etag: readOnlyProjectFields.etag
}).annotate({ identifier: "SharingPayload" })
export type SharingPayload = typeof SharingPayload.Type

const params = { id: ProjectId }
const response = examples({ response: Example.project })
const changed = { params, success: withEtagHeader(Project), error: [Forbidden, NotFound] as const }

export class ProjectsApi extends HttpApiGroup.make("projects").add(
  HttpApiEndpoint.post("create", "/v1/projects", {
    payload: ProjectPayload,
    success: createdWithEtagHeader(Project),
    error: [BadRequest, Forbidden]
  }).annotateMerge(OpenApi.annotations({
    summary: "Create a project",
    description: "Your own, or with `team_id` a team's, whose leads and admins may do so.",
    transform: examples({ request: Example.request, response: Example.project })
  })),
  HttpApiEndpoint.get("list", "/v1/projects", { query: ProjectQuery, success: ProjectPage })
    .annotateMerge(OpenApi.annotations({
      summary: "List projects, newest first",
      description: "Your own and those of your teams, without the archived ones unless they are asked for.",
      transform: examples({ response: { items: [Example.project], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/projects/:id", { params, headers: ifNoneMatch, success: unlessKnown(Project), error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Read a project",
      description: "Your own, or one of your teams'.",
      transform: response
    })),
  HttpApiEndpoint.put("update", "/v1/projects/:id", {
    params,
    headers: ifMatch,
    payload: ProjectPayload,
    success: withEtagHeader(Project),
    error: [BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Replace a project",
    description: "What is left out takes its default, except `team_id`.",
    transform: examples({ request: Example.request, response: Example.project })
  })),
  HttpApiEndpoint.delete("remove", "/v1/projects/:id", {
    params,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [Forbidden, NotFound, PreconditionFailed]
  }).annotateMerge(OpenApi.annotations({
    summary: "Delete a project; its entries stay, without one",
    description: "A team's project is deleted by its leads and admins only."
  })),
  HttpApiEndpoint.post("archive", "/v1/projects/:id/archive", changed)
    .annotateMerge(OpenApi.annotations({
      summary: "Archive a project",
      description: "It leaves the lists, takes no new entries and is nobody's default any more. Its entries and figures stay.",
      transform: response
    })),
  HttpApiEndpoint.post("unarchive", "/v1/projects/:id/unarchive", changed)
    .annotateMerge(OpenApi.annotations({
      summary: "Take a project out of the archive",
      description: "It takes entries again.",
      transform: response
    })),
  HttpApiEndpoint.put("makeDefault", "/v1/projects/:id/default", {
    params,
    headers: ifMatch,
    success: withEtagHeader(Project),
    error: [Conflict, NotFound, PreconditionFailed]
  })
    .annotateMerge(OpenApi.annotations({
      summary: "Make it your default project",
      description: "An entry that is recorded without naming a project goes there; with `project_id: null` it goes to none. You have one at most. "
        + "Which one it is stands in each project as `is_default`, and its `etag` changes with that.",
      transform: response
    })),
  HttpApiEndpoint.delete("endDefault", "/v1/projects/:id/default", {
    params,
    headers: ifMatch,
    success: HttpApiSchema.NoContent,
    error: [NotFound, PreconditionFailed]
  })
    .annotateMerge(OpenApi.annotations({
      summary: "Have no default project, where it is this one",
      description: "Entries that name no project go to none from now on."
    })),
  HttpApiEndpoint.get("stats", "/v1/projects/:id/stats", { params, query: StatsQuery, success: ProjectStats, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "Figures of a project",
      description: "Of your entries and, in a team's project, of those that members share. An entry counts whole in the day and ISO week in which it "
        + "starts, in its author's time zone. `hours` is `minutes` / 60, rounded to two decimals; types, ratings, levels and weeks without entries are left out.",
      transform: examples({ response: Example.stats })
    })),
  HttpApiEndpoint.get("sharing", "/v1/projects/:id/sharing", { params, headers: ifNoneMatch, success: unlessKnown(Sharing), error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "What you share of your entries on a team's project",
      description: "`none` where you have said nothing.",
      transform: examples({ response: Example.sharing })
    })),
  HttpApiEndpoint.put("share", "/v1/projects/:id/sharing", {
    params,
    headers: ifMatch,
    payload: SharingPayload,
    success: withEtagHeader(Sharing),
    error: [Conflict, NotFound, PreconditionFailed]
  })
    .annotateMerge(OpenApi.annotations({
      summary: "Share your entries on a team's project, or no longer",
      description: "Nothing is shared unless you say so here. `figures`: hours and counts; `entries`: besides them each entry without its description.",
      transform: examples({ request: { level: "entries", since: null }, response: Example.sharing })
    }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Projects",
  description: "What entries are recorded for."
})) {}
