/** The jobs of every night (seed 004, "Daily Cleanup"), as an administrator sees and starts them. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { job } from "./AccountExamples.ts"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { PlainText } from "./PlainText.ts"
import { RequiredScope } from "./RequiredScope.ts"

export const JobName = PlainText({ min: 1, max: 200 })

export class JobView extends Schema.Class<JobView>("JobView")({
  name: Schema.String,
  /** What it removes, or submits. */
  description: Schema.String,
  /** Each night, or each quarter of an hour; by which API server, they agree among themselves. */
  runs_at: Schema.String,
  state: Schema.Literals(["never_run", "running", "completed", "failed"]),
  /** Of the last run, and so below. */
  started_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  ended_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  started_by: Schema.NullOr(Schema.Literals(["schedule", "admin"])),
  /** How many, or how many it submitted. */
  removed: Schema.NullOr(Schema.Int)
}) {}

/** A handful: one page. */
export const JobList = Schema.Struct({ items: Schema.Array(JobView), next_cursor: Schema.Null }).annotate({ identifier: "JobList" })

export class JobsApi extends HttpApiGroup.make("jobs").add(
  HttpApiEndpoint.get("list", "/v1/admin/jobs", { success: JobList, error: Forbidden })
    .annotateMerge(OpenApi.annotations({
      summary: "List the nightly jobs with their last run (administrators)",
      description: "All of them, on one page.",
      transform: examples({ response: { items: [job], next_cursor: null } })
    })),
  HttpApiEndpoint.post("run", "/v1/admin/jobs/:name/run", {
    params: { name: JobName },
    success: JobView.pipe(HttpApiSchema.status(202)),
    error: [Forbidden, NotFound, Conflict]
  }).annotateMerge(OpenApi.annotations({
    summary: "Start a job now (administrators)",
    description: "409 while a run of it is under way, on whichever API server.",
    transform: examples({ response: { ...job, state: "running", started_by: "admin", ended_at: null, removed: null } })
  }))
).annotateEndpoints(RequiredScope, "admin").middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Jobs",
  description: "What is cleaned up every night."
})) {}
