/**
 * Stored insights for people, by REST and RPC alike. Somebody else's insight is as absent as none.
 */
import type { InsightId } from "@englog/domain/Ids"
import type { Insight } from "@englog/domain/insights/Insight"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, NotFound, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import type { InsightFacts, InsightPage, InsightQuery } from "@englog/rpc/http/InsightsApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { InsightRepo } from "./InsightRepo.ts"

type Caller = CurrentUser["Service"]

export class Insights extends Context.Service<Insights, {
  readonly list: (caller: Caller, query: InsightQuery) => Effect.Effect<typeof InsightPage.Type, BadRequest | ServiceUnavailable>
  readonly get: (caller: Caller, id: InsightId) => Effect.Effect<Insight, NotFound | ServiceUnavailable>
  readonly facts: (caller: Caller, id: InsightId) => Effect.Effect<InsightFacts, NotFound | ServiceUnavailable>
  readonly remove: (caller: Caller, id: InsightId) => Effect.Effect<void, NotFound | ServiceUnavailable>
}>()("@englog/api/insights/Insights") {
  static readonly layer = Layer.effect(
    Insights,
    Effect.gen(function*() {
      const repo = yield* InsightRepo
      const find = Effect.fnUntraced(function*(caller: Caller, id: InsightId) {
        const insight = yield* orUnavailable(repo.find(caller.id, id))
        return Option.isSome(insight) ? insight.value : yield* missing(id)
      })
      return Insights.of({
        list: Effect.fn("Insights.list")(function*(caller, query) {
          const { cursor, limit = defaultPageSize } = query
          const filter = {
            type: Option.fromUndefinedOr(query.type),
            period_start: Option.fromUndefinedOr(query.period_start),
            period_end: Option.fromUndefinedOr(query.period_end),
            project_id: Option.fromUndefinedOr(query.project_id),
            tags: query.tags ?? [],
            created_from: Option.map(Option.fromUndefinedOr(query.created_from), (day) => startOfLocalDay(day, caller.timezone)),
            created_to: Option.map(Option.fromUndefinedOr(query.created_to), (day) => startOfLocalDay(addDays(day, 1), caller.timezone))
          }
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* orUnavailable(repo.list(caller.id, filter, after, limit + 1)), limit)
          return { items: rows.map((row) => row.insight), next_cursor }
        }),
        get: Effect.fn("Insights.get")(find),
        facts: Effect.fn("Insights.facts")(function*(caller, id) {
          return { insight_id: id, facts: (yield* find(caller, id)).facts }
        }),
        remove: Effect.fn("Insights.remove")(function*(caller, id) {
          if (!(yield* orUnavailable(repo.remove(caller.id, id)))) return yield* missing(id)
        })
      })
    })
  )
}

const missing = (id: InsightId) => new NotFound({ error: `you have no insight ${id}` })
