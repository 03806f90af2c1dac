/** Imports and their inbox over RPC; see ImportsApi and InboxApi. */
import { ImportId } from "@englog/domain/Ids"
import { ImportRecord } from "@englog/domain/imports/ImportRecord"
import { Rpc, RpcGroup } from "effect/rpc"
import { AccountRecords, AccountRestored } from "../http/AccountDocument.ts"
import { CalendarImport, CsvImport, ImportAccepted, ImportPage } from "../http/ImportsApi.ts"
import { GitHubImport, GitImport, JiraImport, SlackImport } from "../http/ConnectorImports.ts"
import { DecisionsPayload, DecisionsResult, InboxPage, InboxQuery } from "../http/InboxApi.ts"
import { pageQuery } from "../http/Page.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure

export class ImportRpcs extends RpcGroup.make(
  Rpc.make("ImportCalendar", { payload: CalendarImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ImportCsv", { payload: CsvImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ImportGit", { payload: GitImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ImportGitHub", { payload: GitHubImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ImportJira", { payload: JiraImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  Rpc.make("ImportSlack", { payload: SlackImport, success: ImportAccepted, error }).annotate(StartsTask, true),
  /** As large as a message may be; a larger account goes by REST. */
  Rpc.make("ImportAccount", { payload: AccountRecords, success: AccountRestored, error }),
  Rpc.make("ListImports", { payload: pageQuery, success: ImportPage, error }),
  Rpc.make("GetImport", { payload: { id: ImportId }, success: ImportRecord, error }),
  Rpc.make("GetInbox", { payload: InboxQuery, success: InboxPage, error }),
  Rpc.make("DecideInbox", { payload: DecisionsPayload, success: DecisionsResult, error })
).middleware(RpcAuthorization) {}
