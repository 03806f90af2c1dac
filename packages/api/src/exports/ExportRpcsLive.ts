/** RPC of exports: see ExportRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { ExportRpcs } from "@englog/rpc/rpc/ExportRpcs"
import { Effect, Stream } from "effect"
import { orRpcFailure, streamFailure } from "../rpc/RpcFailures.ts"
import { CalendarFeeds } from "./CalendarFeeds.ts"
import { CsvExport } from "./CsvExport.ts"
import { PdfExports } from "./PdfExports.ts"

export const ExportRpcsLive = ExportRpcs.toLayer(Effect.gen(function*() {
  const csv = yield* CsvExport
  const feeds = yield* CalendarFeeds
  const pdfs = yield* PdfExports
  return ExportRpcs.of({
    GetCsv: (query) =>
      Stream.unwrap(CurrentUser.use((user) => orRpcFailure(csv.document(user, query)))).pipe(
        Stream.mapError(streamFailure)
      ),
    RequestPdf: (request) => CurrentUser.use((user) => orRpcFailure(pdfs.request(user, request))),
    GetPdf: ({ id }) => CurrentUser.use((user) => orRpcFailure(pdfs.document(user, id))),
    DeletePdf: ({ id }) => CurrentUser.use((user) => orRpcFailure(pdfs.remove(user, id))),
    ListCalendarFeeds: (page) => CurrentUser.use((user) => orRpcFailure(feeds.list(user, page))),
    CreateCalendarFeed: (feed) => CurrentUser.use((user) => orRpcFailure(feeds.create(user, feed))),
    RevokeCalendarFeed: ({ id }) => CurrentUser.use((user) => orRpcFailure(feeds.revoke(user, id)))
  })
}))
