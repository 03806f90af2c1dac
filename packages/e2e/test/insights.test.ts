/** An insight over a period from request to verification: API, real worker and typed client as separate programs. */
import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { DateTime, Effect, Option, Redacted, Stream } from "effect"
import { password, register } from "../src/Person.ts"
import { Running } from "../src/Running.ts"

const world = Running.layer()

const at = (time: string) => DateTime.makeUnsafe(`2026-01-0${time}:00Z`)
const entry = { title: "Pair on the parser", type: "code", tags: ["parser"], start_time: at("5T09:00"), end_time: at("5T10:30"), value_rating: "high", impact_level: "product" } as const
const request = { report_type: "weekly", period_start: "2026-01-05", period_end: "2026-01-11" } as const

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("an insight over a period", (it) => {
  it.effect("is written by a real worker, found again, and outdated by the first entry that changes", () =>
    Effect.gen(function*() {
      const { url } = yield* Running
      yield* register(url, "period@example.com")
      yield* Effect.gen(function*() {
        const englog = yield* EngLogClient
        const { id: entry_id } = yield* englog.CreateEntry(entry)
        yield* englog.CreateEntry({ ...entry, title: "Stand-up", type: "meeting", start_time: at("6T09:00"), end_time: at("6T09:30") })
        yield* englog.CreateGoal({ title: "Write the parser", measure: "hours", target: 10, start_date: "2026-01-01", end_date: "2026-01-31", activity_types: ["code"] })

        const { task_id } = yield* englog.GenerateInsight(request)
        const last = yield* englog.WatchTask({ task_id }).pipe(Stream.runLast)
        assert.strictEqual(Option.getOrThrow(last).type, "completed")
        const again = yield* englog.GenerateInsight(request)
        if (again.insight_id === null) return assert.fail("an equal question was asked again")
        const { insight_id } = again
        assert.deepInclude(again, { cached: true, task_id })
        const insight = yield* englog.GetInsight({ id: insight_id })
        assert.deepInclude(insight, { source: "builtin", removed: [], entry_count: 2 })
        for (const heading of ["Time allocation", "Productivity patterns", "Skill development", "Collaboration impact", "Value distribution", "Impact assessment"]) {
          assert.include(insight.content, `## ${heading}`)
        }
        assert.include(insight.content, "- **Write the parser**: 1 h 30 min of 10 h done by the end of the period (15 %)")
        const { facts } = yield* englog.GetInsightFacts({ id: insight_id })
        assert.deepStrictEqual(facts, insight.facts)
        assert.strictEqual((yield* englog.VerifyInsight({ id: insight_id })).verdict, "verified")

        yield* englog.UpdateEntry({ id: entry_id, entry: { ...entry, end_time: at("5T11:00") } })
        const verification = yield* englog.VerifyInsight({ id: insight_id })
        assert.strictEqual(verification.verdict, "outdated")
        assert.deepStrictEqual(verification.changes.map((change) => ({ ...change })), [{ kind: "entry_redated", entry_id, fields: ["end_time"] }])
        const differing = verification.facts.filter(({ status }) => status !== "unchanged")
        assert.isAbove(differing.length, 10)
        assert.deepStrictEqual(differing.filter(({ why }) => why.length === 0), [], "every difference is explained")
        assert.strictEqual((yield* englog.GenerateInsight(request)).cached, false)
        yield* englog.DeleteInsight({ id: insight_id })
        assert.strictEqual((yield* Effect.flip(englog.GetInsight({ id: insight_id })))._tag, "RpcFailure")
      }).pipe(Effect.provide(EngLogClient.layer({ url, transport: "http", auth: { email: "period@example.com", password: Redacted.make(password) } })))
    }))
})
