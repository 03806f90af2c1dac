/** `/v1/export` and the feeds that others read. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { matches, quoted } from "@englog/rpc/http/EntityTags"
import { NewCalendarFeed } from "@englog/rpc/http/FeedView"
import type { PdfAccepted } from "@englog/rpc/http/PdfView"
import { Effect, Option, Stream } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { EdgePolicy } from "../http/edge/EdgePolicy.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { CalendarFeeds } from "./CalendarFeeds.ts"
import { CsvExport } from "./CsvExport.ts"
import { PdfExports } from "./PdfExports.ts"

export const ExportsHttp = HttpApiBuilder.group(EngLogApi, "exports", Effect.fn(function*(handlers) {
  const csv = yield* CsvExport
  const feeds = yield* CalendarFeeds
  const { behindTls } = yield* EdgePolicy
  return handlers.handleAll({
    csv: Effect.fnUntraced(function*({ query }) {
      const document = yield* orUnavailable(csv.document(yield* CurrentUser, query))
      return HttpApiSchema.withHeaders({
        // What breaks here breaks the answer off; there is no status any more that could tell it.
        body: Stream.encodeText(Stream.orDie(document)),
        headers: { "content-type": "text/csv; charset=utf-8; header=present", "content-disposition": "attachment; filename=\"englog-entries.csv\"" }
      })
    }),
    createFeed: Effect.fnUntraced(function*({ payload }) {
      const made = yield* orUnavailable(feeds.create(yield* CurrentUser, payload))
      const { headers } = yield* HttpServerRequest.HttpServerRequest
      const url = `${behindTls ? "https" : "http"}://${headers["host"] ?? ""}${made.url}`
      return HttpApiSchema.withHeaders({ body: new NewCalendarFeed({ ...made, url }), headers: { location: `/v1/export/ics/feeds/${made.id}` } })
    }),
    feeds: ({ query }) => CurrentUser.use((user) => orUnavailable(feeds.list(user, query))),
    revokeFeed: ({ params }) => CurrentUser.use((user) => orUnavailable(feeds.revoke(user, params.id)))
  })
}))

export const FeedsHttp = HttpApiBuilder.group(EngLogApi, "feeds", Effect.fn(function*(handlers) {
  const feeds = yield* CalendarFeeds
  return handlers.handle("read", Effect.fnUntraced(function*({ headers, params }) {
    const { etag, text } = yield* orUnavailable(feeds.read(params.secret))
    const told = { etag: quoted(etag), "cache-control": "private, no-cache" }
    return Option.exists(Option.fromUndefinedOr(headers["if-none-match"]), (known) => matches(known, etag, "weak"))
      ? HttpServerResponse.empty({ status: 304, headers: told })
      : HttpServerResponse.text(text, { contentType: "text/calendar; charset=utf-8", headers: told })
  }))
}))

export const PdfHttp = HttpApiBuilder.group(EngLogApi, "pdf", Effect.fn(function*(handlers) {
  const pdfs = yield* PdfExports
  return handlers.handleAll({
    request: ({ payload }) => CurrentUser.use((user) => Effect.map(orUnavailable(pdfs.request(user, payload)), located)),
    requestPeriod: ({ query }) => CurrentUser.use((user) => Effect.map(orUnavailable(pdfs.requestPeriod(user, query)), located)),
    read: Effect.fnUntraced(function*({ params }) {
      const document = yield* orUnavailable(pdfs.document(yield* CurrentUser, params.id))
      return HttpApiSchema.withHeaders({
        body: Buffer.from(document, "base64"),
        headers: { "content-disposition": "attachment; filename=\"performance-review.pdf\"" }
      })
    }),
    remove: ({ params }) => CurrentUser.use((user) => orUnavailable(pdfs.remove(user, params.id)))
  })
}))

const located = (body: PdfAccepted) => HttpApiSchema.withHeaders({ body, headers: { location: `/v1/export/pdf/${body.id}` } })
