/** Performance reviews as PDF in the REST and the RPC contract. */
import { InsightId, PdfId, TaskId } from "@englog/domain/Ids"
import { Effect, Schema } from "effect"
import { TrimmedText } from "./PlainText.ts"
import { inOrder, LocalDate } from "./Times.ts"

/** Three years. */
export const MAX_REVIEW_DAYS = 1_098
/** For so long a document is kept. */
export const PDF_DAYS = 7

const period = { period_start: LocalDate, period_end: LocalDate }

/** Without an end it is today, without a beginning 90 days up to the end. */
export const PdfQuery = Schema.Struct({
  period_start: Schema.optionalKey(LocalDate.annotate({ description: "89 days before period_end where it is not given." })),
  period_end: Schema.optionalKey(LocalDate.annotate({ description: "Today in your time zone where it is not given." }))
}).check(inOrder("period_start", "period_end"))
export type PdfQuery = typeof PdfQuery.Type

export const PdfPayload = Schema.Struct({
  ...period,
  title: TrimmedText({ min: 1, max: 120 }).annotate({ default: "Performance review" }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("Performance review"))
  ),
  insight_id: Schema.optionalKey(Schema.NullOr(InsightId)).pipe(Schema.annotateKey({
    description: "The insight that the review quotes; null: none. Left out: the newest one of the period, else one that the built-in narrator writes."
  }))
}).check(inOrder("period_start", "period_end")).annotate({ identifier: "PdfPayload" })
export type PdfPayload = typeof PdfPayload.Type

/** `id` is the document's. */
export const PdfAccepted = Schema.Struct({ id: PdfId, task_id: TaskId, message: Schema.String }).annotate({ identifier: "PdfAccepted" })
export type PdfAccepted = typeof PdfAccepted.Type
