/**
 * What the API does for PDF_EXPORT tasks: it gathers what the document shows (a worker never reads the database) and keeps what comes
 * back, encrypted; the task's own result says only how large it is.
 */
import { rankEntries } from "@englog/domain/entries/EntryRank"
import { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import { type QuotedInsight, reviewOf } from "@englog/domain/exports/ReviewOf"
import { checkFigures } from "@englog/domain/figures/FigureCheck"
import { isFinished } from "@englog/domain/entries/LogEntry"
import type { UserId } from "@englog/domain/Ids"
import { NarrationInput } from "@englog/domain/insights/Insight"
import { narrate } from "@englog/domain/narrator/Narrator"
import { PdfExport } from "@englog/domain/tasks/PdfExport"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { type Question, Questions, toFactEntry } from "../insights/Questions.ts"
import { InvalidResult, OutcomeEffectError, TaskKinds } from "../queue/TaskKinds.ts"
import { type Pdf, PdfRepo } from "./PdfRepo.ts"

/** What the built-in narrator reads where no insight is stored. */
const NARRATED = 300

export const PdfOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const pdfs = yield* PdfRepo
  const users = yield* UserRepo
  const entries = yield* EntryRepo
  const insights = yield* InsightRepo
  const questions = yield* Questions

  const insightOf = Effect.fnUntraced(function*(user: UserId, { insight_id, period_end, period_start, with_insight }: Pdf, question: Question) {
    if (!with_insight) return null
    const inPeriod = {
      type: Option.none(),
      period_start: Option.some(period_start),
      period_end: Option.some(period_end),
      project_id: Option.none(),
      created_from: Option.none(),
      created_to: Option.none(),
      tags: []
    }
    const newest = insight_id ?? (yield* insights.list(user, inPeriod, Option.none(), 1))[0]?.insight.id
    const stored = newest === undefined ? Option.none() : yield* insights.find(user, newest)
    return Option.getOrElse(stored, () => narrated(question))
  })

  const reviewFor = Effect.fnUntraced(function*(user_id: UserId, pdf: Pdf) {
    const user = yield* users.find(user_id)
    if (Option.isNone(user)) return yield* new OutcomeEffectError({ kind: PdfExport.kind, cause: new Error("its owner is gone") })
    const { first_name, last_name } = user.value
    const question = yield* questions.ofPeriod(user_id, { start: pdf.period_start, end: pdf.period_end })
    const insight = yield* insightOf(user_id, pdf, question)
    const ids = [...new Set((insight?.citations ?? []).flatMap(({ entry_ids }) => entry_ids))]
    const cited = (yield* entries.findAll(user_id, ids)).filter(isFinished).map(toFactEntry)
    const generated_at = DateTime.formatIso(yield* DateTime.now)
    const { entries: found, goals, sheet } = question
    return reviewOf({ title: pdf.title, person: `${first_name} ${last_name}`, generated_at, sheet, entries: found, goals, insight, cited })
  })

  yield* kinds.register({
    kind: PdfExport.kind,
    data: Effect.fn("PdfOutcome.data")(function*({ payload, user_id }) {
      const { pdf_id } = yield* Effect.orDie(decodePayload(payload))
      const pdf = yield* pdfs.find(user_id, pdf_id)
      if (Option.isNone(pdf)) return yield* new OutcomeEffectError({ kind: PdfExport.kind, cause: new Error("the document was deleted, or has expired") })
      return yield* Effect.orDie(encodeReview(yield* reviewFor(user_id, pdf.value)))
    }),
    onCompleted: Effect.fn("PdfOutcome.onCompleted")(function*({ payload, user_id }, result) {
      const { pages, pdf } = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      if (!isPdf(pdf)) return yield* new InvalidResult({ message: "result: pdf: must be a PDF in base64" })
      const { pdf_id } = yield* Effect.orDie(decodePayload(payload))
      const kept = yield* pdfs.setDocument(user_id, pdf_id, pdf, pages)
      // Who deleted it meanwhile wants none.
      return JSON.stringify({ pdf_id: kept ? pdf_id : null, pages, bytes: Buffer.byteLength(pdf, "base64") })
    })
  })
}))

/** What the built-in narrator makes of the same facts, its figures checked as everybody's are. */
const narrated = ({ entries: found, sheet }: Question): QuotedInsight | null => {
  if (found.length === 0) return null
  const entries = rankEntries(found).slice(0, NARRATED)
  const input = new NarrationInput({ insight_type: "performance", context: null, sheet, entries, entry_count: found.length, cached: null }, { disableChecks: true })
  const { citations, confidence, content } = checkFigures({ draft: narrate(input), sheet, entries: found, context: null })
  return { insight_type: "performance", period_start: sheet.period_start, period_end: sheet.period_end, model: "builtin", confidence, content, citations }
}


const isPdf = (base64: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && Buffer.from(base64.slice(0, 8), "base64").toString("latin1").startsWith("%PDF-")

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(PdfExport.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(PdfExport.result))
const encodeReview = Schema.encodeEffect(Schema.fromJsonString(PerformanceReview))
