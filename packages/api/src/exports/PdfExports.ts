/** Performance reviews as documents: asked for as tasks, fetched until they expire. Somebody else's is as absent as none. */
import { PdfId } from "@englog/domain/Ids"
import { PdfExport } from "@englog/domain/tasks/PdfExport"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { MAX_REVIEW_DAYS, type PdfAccepted, type PdfPayload, type PdfQuery } from "@englog/rpc/http/PdfView"
import { addDays, countDays, localDayOf } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { PdfRepo } from "./PdfRepo.ts"

type Caller = CurrentUser["Service"]

export class PdfExports extends Context.Service<PdfExports, {
  readonly request: (caller: Caller, request: PdfPayload) => Effect.Effect<PdfAccepted, BadRequest | NotFound | TooManyRequests | SqlError>
  /** By its period alone. */
  readonly requestPeriod: (caller: Caller, query: PdfQuery) => Effect.Effect<PdfAccepted, BadRequest | NotFound | TooManyRequests | SqlError>
  /** Base64. */
  readonly document: (caller: Caller, id: PdfId) => Effect.Effect<string, Conflict | NotFound | SqlError>
  readonly remove: (caller: Caller, id: PdfId) => Effect.Effect<void, NotFound | SqlError>
}>()("@englog/api/exports/PdfExports") {
  static readonly layer = Layer.effect(
    PdfExports,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* PdfRepo
      const insights = yield* InsightRepo
      const queue = yield* TaskQueue
      const tasks = yield* TaskAccess

      const request: PdfExports["Service"]["request"] = Effect.fn("PdfExports.request")(
        function*(caller, { insight_id, period_end, period_start, title }) {
          if (countDays(period_start, period_end) > MAX_REVIEW_DAYS) {
            return yield* new BadRequest({ error: `period_end: must be at most ${MAX_REVIEW_DAYS} days after period_start` })
          }
          if (insight_id != null && Option.isNone(yield* insights.find(caller.id, insight_id))) {
            return yield* new NotFound({ error: `insight_id: you have no insight ${insight_id}` })
          }
          const id = PdfId.make(randomUUID())
          // The task and what it is about, or neither.
          const task_id = yield* sql.withTransaction(Effect.gen(function*() {
            const accepted = yield* orTooMany(queue.enlist({
              kind: PdfExport.kind,
              prefix: "pdf",
              organization_id: caller.organization_id,
              user_id: caller.id,
              payload: JSON.stringify({ pdf_id: id }),
              private_input: null,
              policy: PdfExport.policy
            })).pipe(Effect.catchTag("DependencyProblem", Effect.die))
            yield* repo.insert({
              id, user_id: caller.id, task_id: accepted.task_id, title, period_start, period_end, with_insight: insight_id !== null, insight_id: insight_id ?? null
            })
            return accepted.task_id
          }))
          return { id, task_id, message: `Document queued successfully; it will be at /v1/export/pdf/${id}` }
        }
      )

      return PdfExports.of({
        request,
        requestPeriod: Effect.fn("PdfExports.requestPeriod")(function*(caller, { period_end, period_start }) {
          const last = period_end ?? localDayOf(yield* DateTime.now, caller.timezone)
          const first = period_start ?? addDays(last, 1 - DAYS)
          if (last < first) return yield* new BadRequest({ error: "period_start: must not be after today" })
          return yield* request(caller, { period_start: first, period_end: last, title: "Performance review" })
        }),
        document: Effect.fn("PdfExports.document")(function*(caller, id) {
          const document = yield* repo.document(caller.id, id)
          if (Option.isSome(document)) return document.value
          const pdf = yield* repo.find(caller.id, id)
          if (Option.isNone(pdf)) return yield* missing(id)
          const { error, state } = yield* tasks.find(caller, pdf.value.task_id)
          return yield* new Conflict({
            error: error === null ? `the document is not there yet: its task ${pdf.value.task_id} is ${state}` : `the document could not be made: ${error}`
          })
        }),
        remove: Effect.fn("PdfExports.remove")(function*(caller, id) {
          if (!(yield* repo.remove(caller.id, id))) return yield* missing(id)
        })
      })
    })
  )
}

/** That are looked at where no beginning is named. */
const DAYS = 90

const missing = (id: PdfId) => new NotFound({ error: `you have no document ${id}, or it has expired` })
