/** Log entries over RPC; see EntriesApi. */
import { LogEntry } from "@englog/domain/entries/LogEntry"
import { EntryId } from "@englog/domain/Ids"
import { Rpc, RpcGroup } from "effect/rpc"
import { BulkResult, TypedBulkPayload } from "../http/BulkPayload.ts"
import { EntryPage, EntryQuery } from "../http/EntriesApi.ts"
import { EntryPayload, EntryStart } from "../http/EntryPayload.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: EntryId }

export class EntryRpcs extends RpcGroup.make(
  Rpc.make("CreateEntry", { payload: EntryPayload, success: LogEntry, error }),
  Rpc.make("ListEntries", { payload: EntryQuery, success: EntryPage, error }),
  Rpc.make("GetEntry", { payload: id, success: LogEntry, error }),
  Rpc.make("UpdateEntry", { payload: { ...id, entry: EntryPayload, ...ifMatch }, success: LogEntry, error }),
  Rpc.make("DeleteEntry", { payload: { ...id, ...ifMatch }, error }),
  Rpc.make("StartEntry", { payload: EntryStart, success: LogEntry, error }),
  Rpc.make("StopEntry", { payload: id, success: LogEntry, error }),
  Rpc.make("ChangeEntries", { payload: TypedBulkPayload, success: BulkResult, error })
).middleware(RpcAuthorization) {}
