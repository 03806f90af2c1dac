/** A person's own account over RPC; see AccountApi. */
import { ApiTokenId, FamilyId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import {
  ApiTokenPage, ApiTokenRequest, DeletionRequest, EmailChange, EmailRequest, EmailToken, ExportRecord, LoginSessionPage, NewEmailChange, NewApiToken, PasswordProof, PasswordRequest, Preferences,
  PreferencesRequest, Profile, ProfileRequest, RevokedSessions, ScheduledDeletion
} from "../http/AccountView.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { ifMatch } from "./IfMatch.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const PageSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { expected: "a whole number from 1 to 200" }))
const page = { limit: Schema.optionalKey(PageSize), cursor: Schema.optionalKey(Schema.String) }

/** What an API token may do, too. */
const open = RpcGroup.make(
  Rpc.make("GetProfile", { success: Profile, error }),
  Rpc.make("UpdateProfile", { payload: { ...ProfileRequest.fields, ...ifMatch }, success: Profile, error }),
  Rpc.make("GetPreferences", { success: Preferences, error }),
  Rpc.make("UpdatePreferences", { payload: { ...PreferencesRequest.fields, ...ifMatch }, success: Preferences, error }),
  Rpc.make("GetEmailChange", { success: EmailChange, error }),
  Rpc.make("ListSessions", { payload: page, success: LoginSessionPage, error }),
  Rpc.make("ListApiTokens", { payload: page, success: ApiTokenPage, error }),
  Rpc.make("GetDeletion", { success: ScheduledDeletion, error })
)

const inPerson = RpcGroup.make(
  Rpc.make("ChangePassword", { payload: PasswordRequest, error }),
  Rpc.make("RequestEmailChange", { payload: EmailRequest, success: NewEmailChange, error }),
  Rpc.make("WithdrawEmailChange", { error }),
  Rpc.make("ConfirmEmailChange", { payload: EmailToken, success: Profile, error }),
  Rpc.make("RevokeSession", { payload: { id: FamilyId }, error }),
  Rpc.make("RevokeSessions", { success: RevokedSessions, error }),
  Rpc.make("CreateApiToken", { payload: ApiTokenRequest, success: NewApiToken, error }),
  Rpc.make("RevokeApiToken", { payload: { id: ApiTokenId }, error }),
  /** Record by record, section after section. */
  Rpc.make("ExportAccount", { success: ExportRecord, error, stream: true }),
  Rpc.make("AnonymizeAccount", { payload: PasswordProof, error }),
  Rpc.make("DeleteAccount", { payload: PasswordProof, error }),
  Rpc.make("ScheduleDeletion", { payload: DeletionRequest, success: ScheduledDeletion, error }),
  Rpc.make("CancelDeletion", { error })
).annotateRpcs(RequiredScope, "person")

export const AccountRpcs = open.merge(inPerson).middleware(RpcAuthorization)
