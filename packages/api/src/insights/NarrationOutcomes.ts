/**
 * What the API does for narration tasks: it hands the holder of a task the facts and entries to write about, and it checks
 * what came back, whoever wrote it, before anything of it is stored or shown (product.md, Trustworthy numbers).
 */
import { rankEntries } from "@englog/domain/entries/EntryRank"
import { Fact, type FactEntry, FactSheet } from "@englog/domain/facts/Fact"
import { InsightId } from "@englog/domain/Ids"
import { checkFigures } from "@englog/domain/figures/FigureCheck"
import { type CheckedInsight, InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { InvalidResult, type RegisteredKind, TaskKinds } from "../queue/TaskKinds.ts"
import { Mails } from "../mail/Mails.ts"
import { recordsOf } from "./InsightBasis.ts"
import { InsightRepo } from "./InsightRepo.ts"
import { type AskingTask, type Question, Questions } from "./Questions.ts"

/** Entries that travel to a worker; the facts cover all of them in any case. */
const MAX_ENTRIES_FOR_NARRATOR = 300

/** Registers INSIGHT_GENERATION and WEEKLY_REPORT with the engine. */
export const NarrationOutcomesLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const questions = yield* Questions
  const insights = yield* InsightRepo
  const sql = yield* SqlClient.SqlClient
  const mails = yield* Mails

  const narration = (
    kind: typeof InsightGeneration | typeof WeeklyReport,
    ask: (task: AskingTask) => Effect.Effect<Question, SqlError>
  ): RegisteredKind => ({
    kind: kind.kind,
    data: Effect.fn("NarrationOutcomes.data")(function*(lease: TaskLease) {
      const question = yield* ask(lease)
      const cached = yield* insights.findAnswer(lease.user_id, question.digest)
      const entries = rankEntries(question.entries).slice(0, MAX_ENTRIES_FOR_NARRATOR)
      const input = new NarrationInput({
        insight_type: question.insight_type,
        context: question.context,
        ...(question.focus_areas === undefined ? {} : { focus_areas: question.focus_areas }),
        sheet: citing(question.sheet, entries),
        entries,
        entry_count: question.entries.length,
        cached: Option.getOrNull(cached)
      })
      return yield* Effect.orDie(encodeInput(input))
    }),
    onCompleted: Effect.fn("NarrationOutcomes.onCompleted")(function*(task, result) {
      const draft = yield* decodeDraft(result).pipe(
        Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` }))
      )
      const question = yield* ask(task)
      const { sheet } = question
      const checked = checkFigures({ draft, sheet, entries: question.entries, context: question.context })
      const id = InsightId.make(randomUUID())
      const origin = {
        model: draft.model ?? "unknown",
        prompt_version: draft.prompt_version ?? "unknown",
        source: draft.source ?? "model",
        fallback_reason: draft.fallback_reason ?? null
      }
      yield* insights.insert({
        id,
        task_id: task.task_id,
        user_id: task.user_id,
        organization_id: task.organization_id,
        insight_type: question.insight_type,
        period_start: sheet.period_start,
        period_end: sheet.period_end,
        project_ids: question.project_ids,
        content: checked.content,
        tags: checked.tags,
        confidence: checked.confidence,
        ...origin,
        citations: checked.citations,
        facts: sheet.facts,
        removed: checked.removed,
        entry_count: question.entries.length,
        question_digest: question.digest,
        draft,
        basis: {
          kind: kind.kind,
          payload: task.payload,
          private_input: task.private_input,
          records: recordsOf(question),
          statements: checked.statements
        }
      })
      yield* mails.postTo(task.user_id, ({ first_name, preferences }, url) => {
        const report = { first_name, content: checked.content, url, ...periodOf(sheet) }
        if (isScheduled(task.payload)) return preferences.weekly_report ? { template: "weekly_report", ...report } : undefined
        return preferences.email_report_ready ? { template: "report_ready", title: question.insight_type, ...report } : undefined
      })
      yield* sql.afterCommit(count(kind.kind, origin.source, checked))
      yield* Effect.logDebug("stored an insight").pipe(Effect.annotateLogs({
        component: "insights",
        operation: "ai_generation_completed",
        task_id: task.task_id,
        user_id: task.user_id,
        ai_model: origin.model,
        confidence_score: checked.confidence,
        sentences_removed: checked.removed.length
      }))
      return JSON.stringify({
        content: checked.content,
        tags: checked.tags,
        confidence: checked.confidence,
        insight_id: id,
        ...origin,
        citations: checked.citations
      })
    })
  })

  yield* kinds.register(narration(InsightGeneration, questions.ofInsight))
  yield* kinds.register(narration(WeeklyReport, questions.ofReport))
}))

const count = (kind: string, source: string, checked: CheckedInsight) =>
  Metrics.insightsStored.add({ kind, source }).pipe(
    Effect.andThen(Metrics.insightConfidence.record({ source }, checked.confidence)),
    Effect.andThen(Metrics.figureSentences.add({ verdict: "kept" }, checked.sentences_kept)),
    Effect.andThen(Metrics.figureSentences.add({ verdict: "removed" }, checked.sentences_total - checked.sentences_kept))
  )

const decodeScheduled = Schema.decodeOption(Schema.fromJsonString(Schema.Struct({ scheduled: Schema.optionalKey(Schema.Boolean) })))
const isScheduled = (payload: string): boolean => Option.exists(decodeScheduled(payload), ({ scheduled }) => scheduled === true)

const periodOf = ({ period_end, period_start }: FactSheet) => ({ period_start, period_end })

/** The same facts, naming only entries that travel with them: what a narrator cannot see it cannot cite. */
const citing = (sheet: FactSheet, entries: ReadonlyArray<FactEntry>): FactSheet => {
  const shown = new Set(entries.map((entry) => entry.id))
  const facts = sheet.facts.map((fact) =>
    new Fact({ ...fact, entry_ids: fact.entry_ids.filter((id) => shown.has(id)) }, { disableChecks: true }))
  return new FactSheet({ ...sheet, facts }, { disableChecks: true })
}

/** PostgreSQL keeps no NUL in text; what is not encrypted must not hold one. */
const StorableDraft = InsightDraft.check(
  Schema.makeFilter((draft: InsightDraft) => {
    const field = (["model", "prompt_version", "fallback_reason"] as const).find((name) => draft[name]?.includes("\u0000"))
    return field === undefined ? undefined : { path: [field], issue: "must not contain the NUL character" }
  })
)

const decodeDraft = Schema.decodeUnknownEffect(Schema.fromJsonString(StorableDraft))
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(NarrationInput))
