/**
 * Stored insights for people, by REST and RPC alike. Somebody else's insight is as absent as none.
 */
import type { InsightId } from "@englog/domain/Ids"
import type { Insight } from "@englog/domain/insights/Insight"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, NotFound, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import type { InsightPage, InsightQuery } from "@englog/rpc/http/InsightsApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { InsightRepo } from "./InsightRepo.ts"

type Caller = CurrentUser["Service"]

export class Insights extends Context.Service<Insights, {
  readonly list: (caller: Caller, query: InsightQuery) => Effect.Effect<typeof InsightPage.Type, BadRequest | ServiceUnavailable>
  readonly get: (caller: Caller, id: InsightId) => Effect.Effect<Insight, NotFound | ServiceUnavailable>
}>()("@englog/api/insights/Insights") {
  static readonly layer = Layer.effect(
    Insights,
    Effect.gen(function*() {
      const repo = yield* InsightRepo
      return Insights.of({
        list: Effect.fn("Insights.list")(function*(caller, query) {
          const { cursor, limit = defaultPageSize } = query
          const filter = {
            type: Option.fromUndefinedOr(query.type),
            period_start: Option.fromUndefinedOr(query.period_start),
            period_end: Option.fromUndefinedOr(query.period_end)
          }
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* orUnavailable(repo.list(caller.id, filter, after, limit + 1)), limit)
          return { items: rows.map((row) => row.insight), next_cursor }
        }),
        get: Effect.fn("Insights.get")(function*(caller, id) {
          const insight = yield* orUnavailable(repo.find(caller.id, id))
          return Option.isSome(insight) ? insight.value : yield* new NotFound({ error: `you have no insight ${id}` })
        })
      })
    })
  )
}
