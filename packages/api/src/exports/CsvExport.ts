/**
 * Entries as CSV, page by page: neither many entries nor a slow reader hold memory or a connection. The first page is read before
 * there is an answer, so that a database that is away is still told as such.
 */
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { CsvQuery } from "@englog/rpc/http/ExportsApi"
import { Context, Effect, Layer, Option, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { EntryOrder } from "../entries/EntryOrder.ts"
import { EntryRepo, type ListedEntry } from "../entries/EntryRepo.ts"
import { filterOf } from "../entries/EntrySelection.ts"
import { OpenStreams, type StreamCut } from "../http/OpenStreams.ts"
import { csvHead, csvLines } from "./CsvDocument.ts"

type Caller = CurrentUser["Service"]

/** Of the longest entries some megabytes. */
const PAGE = 500

export class CsvExport extends Context.Service<CsvExport, {
  /** Pieces of whole lines. */
  readonly document: (caller: Caller, query: CsvQuery) => Effect.Effect<Stream.Stream<string, SqlError | StreamCut>, SqlError>
}>()("@englog/api/exports/CsvExport") {
  static readonly layer = Layer.effect(
    CsvExport,
    Effect.gen(function*() {
      const repo = yield* EntryRepo
      const streams = yield* OpenStreams

      return CsvExport.of({
        document: Effect.fn("CsvExport.document")(function*({ id, timezone }, { bom = false, order = "asc", period_end, period_start, ...query }) {
          const filter = filterOf({ ...query, ...from(period_start), ...upTo(period_end) }, timezone)
          const by: EntryOrder = { sort: "start_time", direction: order }
          const page = (after: Option.Option<ListedEntry>) => repo.list(id, { ...filter, after }, by, PAGE)
          const first = yield* page(Option.none())
          const pages = Stream.paginate<ReadonlyArray<ListedEntry>, ReadonlyArray<ListedEntry>, SqlError>(first, (rows) =>
            Effect.map(rows.length < PAGE ? Effect.succeed([]) : page(Option.fromUndefinedOr(rows.at(-1))), (next) =>
              [[rows], next.length === 0 ? Option.none() : Option.some(next)] as const))
          return streams.keep(Stream.concat(
            Stream.make(csvHead({ bom })),
            Stream.map(pages, (rows) => csvLines(rows.map(({ entry }) => entry), timezone))
          ))
        })
      })
    })
  )
}

const from = (start_date: string | undefined) => start_date === undefined ? {} : { start_date }
const upTo = (end_date: string | undefined) => end_date === undefined ? {} : { end_date }
