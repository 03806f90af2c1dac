/**
 * Whether a stored insight is still true: its question is asked again of today's records, with the settings (time zone, working hours) of then and
 * of now, and everything that it states is held against the answer. Nothing is stored.
 */
import { makeLocalClock } from "@englog/domain/facts/LocalTime"
import type { InsightId } from "@englog/domain/Ids"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { WorkingHours } from "@englog/domain/users/WorkingHours"
import type { InsightBasis } from "@englog/domain/verification/InsightBasis"
import { entryChanges, goalChanges } from "@englog/domain/verification/RecordChanges"
import type { RecordChange, SettingChange, Verification } from "@englog/domain/verification/Verification"
import { verify } from "@englog/domain/verification/Verify"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { Conflict, NotFound } from "@englog/rpc/http/HttpErrors"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { entryDigest, recordsOf } from "./InsightBasis.ts"
import { InsightRepo } from "./InsightRepo.ts"
import { type Question, Questions, type Settings } from "./Questions.ts"

type Caller = CurrentUser["Service"]

export class InsightVerification extends Context.Service<InsightVerification, {
  readonly verify: (caller: Caller, id: InsightId) => Effect.Effect<Verification, Conflict | NotFound | SqlError>
}>()("@englog/api/insights/InsightVerification") {
  static readonly layer = Layer.effect(
    InsightVerification,
    Effect.gen(function*() {
      const repo = yield* InsightRepo
      const questions = yield* Questions
      const entries = yield* EntryRepo

      /** The records of today that the insight would rest on with its own settings, and what changed on the way there. */
      const changesSince = Effect.fnUntraced(function*(caller: Caller, basis: InsightBasis, then: Question, storedAt: DateTime.Utc) {
        const [was, now] = [basis.records, recordsOf(then)]
        const present = new Set(now.entries.map(({ id }) => id))
        const elsewhere = yield* entries.findAll(caller.id, was.entries.map(({ id }) => id).filter((id) => !present.has(id)))
        const digests = new Map(elsewhere.map((entry) => [entry.id, entryDigest(entry).digests]))
        const changes: ReadonlyArray<RecordChange> = [
          ...entryChanges({ was, now, elsewhere: digests, createdAt: then.created_at, storedAt }),
          ...goalChanges(was, now)
        ]
        return { changes, elsewhere }
      })

      return InsightVerification.of({
        verify: Effect.fn("InsightVerification.verify")(function*(caller, id) {
          const found = yield* repo.findWithBasis(caller.id, id)
          if (Option.isNone(found)) return yield* new NotFound({ error: `you have no insight ${id}` })
          const { basis, insight } = found.value
          if (basis === null) return yield* new Conflict({ error: "what this insight rests on was not kept when it was stored; generate it again" })
          const ask = basis.kind === InsightGeneration.kind ? questions.ofInsight : questions.ofReport
          const task = { user_id: caller.id, payload: basis.payload, private_input: basis.private_input }
          const settings = yield* questions.settingsOf(caller.id)
          const set = settingChanges(basis.records, settings)
          const then = yield* ask(task, basis.records)
          const { changes, elsewhere } = yield* changesSince(caller, basis, then, insight.created_at)
          const today = set.length === 0 ? then : yield* ask(task, settings)
          return verify({
            insight_id: id,
            at: yield* DateTime.now,
            was: insight.facts,
            inOldSettings: then.sheet.facts,
            now: today.sheet.facts,
            changes: [...changes, ...set],
            content: insight.content,
            statements: basis.statements,
            citations: insight.citations,
            entries: [...today.resting_on, ...then.resting_on, ...elsewhere],
            clock: makeLocalClock(today.sheet.timezone),
            context: today.context
          })
        })
      })
    })
  )
}

const settingChanges = (was: Settings, now: Settings): ReadonlyArray<SettingChange> => {
  const zone = makeLocalClock(now.timezone).timezone
  return [
    ...(zone === was.timezone ? [] : [{ kind: "time_zone_changed" as const, was: was.timezone, now: zone }]),
    ...(sameHours(was.working_hours, now.working_hours) ? [] : [{ kind: "working_hours_changed" as const, was: was.working_hours, now: now.working_hours }])
  ]
}

const sameHours = Schema.toEquivalence(Schema.NullOr(WorkingHours))
