/** Exports over RPC; see ExportsApi. */
import { FeedId, PdfId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { CsvQuery } from "../http/ExportsApi.ts"
import { FeedPage, FeedPayload, NewCalendarFeed } from "../http/FeedView.ts"
import { PdfAccepted, PdfPayload } from "../http/PdfView.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { pageQuery } from "../http/Page.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

const open = RpcGroup.make(
  /** The document in pieces; whole lines each. */
  Rpc.make("GetCsv", { payload: CsvQuery, success: Schema.String, error, stream: true }),
  Rpc.make("RequestPdf", { payload: PdfPayload, success: PdfAccepted, error }).annotate(StartsTask, true),
  /** Base64. */
  Rpc.make("GetPdf", { payload: { id: PdfId }, success: Schema.String, error }),
  Rpc.make("DeletePdf", { payload: { id: PdfId }, error }),
  Rpc.make("ListCalendarFeeds", { payload: Schema.Struct(pageQuery), success: FeedPage, error })
)

const inPerson = RpcGroup.make(
  Rpc.make("CreateCalendarFeed", { payload: FeedPayload, success: NewCalendarFeed, error }),
  Rpc.make("RevokeCalendarFeed", { payload: { id: FeedId }, error })
).annotateRpcs(RequiredScope, "person")

export const ExportRpcs = open.merge(inPerson).middleware(RpcAuthorization)
