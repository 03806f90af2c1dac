/**
 * Whether a stored insight is still true: its question is asked again of today's records, in the time zone of then and of now,
 * and everything that it states is held against the answer. Nothing is stored.
 */
import { makeLocalClock } from "@englog/domain/facts/LocalTime"
import type { InsightId } from "@englog/domain/Ids"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import type { InsightBasis } from "@englog/domain/verification/InsightBasis"
import { entryChanges, goalChanges } from "@englog/domain/verification/RecordChanges"
import type { RecordChange, Verification } from "@englog/domain/verification/Verification"
import { verify } from "@englog/domain/verification/Verify"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { Conflict, NotFound } from "@englog/rpc/http/HttpErrors"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { entryDigest, recordsOf } from "./InsightBasis.ts"
import { InsightRepo } from "./InsightRepo.ts"
import { type Question, Questions } from "./Questions.ts"

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
      const users = yield* UserRepo

      /** The records of today that the insight would rest on in its own time zone, and what changed on the way there. */
      const changesSince = Effect.fnUntraced(function*(caller: Caller, basis: InsightBasis, then: Question, storedAt: DateTime.Utc) {
        const [was, now] = [basis.records, recordsOf(then)]
        const present = new Set(now.entries.map(({ id }) => id))
        const elsewhere = yield* entries.findAll(caller.id, was.entries.map(({ id }) => id).filter((id) => !present.has(id)))
        const digests = new Map(elsewhere.map((entry) => [entry.id, entryDigest(entry).digests]))
        const zone = Option.match(yield* users.find(caller.id), { onNone: () => was.timezone, onSome: ({ timezone }) => makeLocalClock(timezone).timezone })
        const changes: ReadonlyArray<RecordChange> = [
          ...entryChanges({ was, now, elsewhere: digests, createdAt: then.created_at, storedAt }),
          ...goalChanges(was, now),
          ...(zone === was.timezone ? [] : [{ kind: "time_zone_changed" as const, was: was.timezone, now: zone }])
        ]
        return { changes, elsewhere, zone }
      })

      return InsightVerification.of({
        verify: Effect.fn("InsightVerification.verify")(function*(caller, id) {
          const found = yield* repo.findWithBasis(caller.id, id)
          if (Option.isNone(found)) return yield* new NotFound({ error: `you have no insight ${id}` })
          const { basis, insight } = found.value
          if (basis === null) return yield* new Conflict({ error: "what this insight rests on was not kept when it was stored; generate it again" })
          const ask = basis.kind === InsightGeneration.kind ? questions.ofInsight : questions.ofReport
          const task = { user_id: caller.id, payload: basis.payload, private_input: basis.private_input }
          const then = yield* ask(task, basis.records.timezone)
          const { changes, elsewhere, zone } = yield* changesSince(caller, basis, then, insight.created_at)
          const today = zone === basis.records.timezone ? then : yield* ask(task, zone)
          return verify({
            insight_id: id,
            at: yield* DateTime.now,
            was: insight.facts,
            inOldZone: then.sheet.facts,
            now: today.sheet.facts,
            changes,
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
