/** RPC of a person's own account: see AccountRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { AccountRpcs } from "@englog/rpc/rpc/AccountRpcs"
import { Effect, Stream } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure, streamFailure } from "../rpc/RpcFailures.ts"
import { AccountExport } from "./AccountExport.ts"
import { EmailChanges } from "./EmailChanges.ts"
import { Leaving } from "./Leaving.ts"
import { OwnAccount } from "./OwnAccount.ts"

export const AccountRpcsLive = AccountRpcs.toLayer(Effect.gen(function*() {
  const account = yield* OwnAccount
  const emails = yield* EmailChanges
  const leaving = yield* Leaving
  const exported = yield* AccountExport
  return AccountRpcs.of({
    GetProfile: () => orRpcFailure(CurrentUser.use(account.profile)),
    UpdateProfile: ({ if_match, ...change }) => orRpcFailure(CurrentUser.use((user) => account.updateProfile(user, change, seenTag(if_match)))),
    GetPreferences: () => orRpcFailure(CurrentUser.use(account.preferences)),
    UpdatePreferences: ({ if_match, ...change }) =>
      orRpcFailure(CurrentUser.use((user) => account.updatePreferences(user, change, seenTag(if_match)))),
    ListSessions: (page) => orRpcFailure(CurrentUser.use((user) => account.sessions(user, page))),
    ListApiTokens: (page) => orRpcFailure(CurrentUser.use((user) => account.tokens(user, page))),
    GetDeletion: () => orRpcFailure(CurrentUser.use(leaving.scheduled)),
    ChangePassword: (change) => orRpcFailure(CurrentUser.use((user) => account.changePassword(user, change))),
    RequestEmailChange: (request) => orRpcFailure(CurrentUser.use((user) => emails.request(user, request))),
    GetEmailChange: () => orRpcFailure(CurrentUser.use(emails.open)),
    WithdrawEmailChange: () => orRpcFailure(CurrentUser.use(emails.withdraw)),
    ConfirmEmailChange: ({ token }) => orRpcFailure(CurrentUser.use((user) => emails.confirm(user, token))),
    RevokeSession: ({ id }) => orRpcFailure(CurrentUser.use((user) => account.revokeSession(user, id))),
    RevokeSessions: () => orRpcFailure(CurrentUser.use(account.revokeSessions)),
    CreateApiToken: (token) => orRpcFailure(CurrentUser.use((user) => account.createToken(user, token))),
    RevokeApiToken: ({ id }) => orRpcFailure(CurrentUser.use((user) => account.revokeToken(user, id))),
    ExportAccount: () =>
      Stream.unwrap(CurrentUser.use((user) => Effect.succeed(exported.records(user)))).pipe(
        Stream.mapError(streamFailure)
      ),
    AnonymizeAccount: ({ password }) => orRpcFailure(CurrentUser.use((user) => leaving.anonymize(user, password))),
    DeleteAccount: ({ password }) => orRpcFailure(CurrentUser.use((user) => leaving.remove(user, password))),
    ScheduleDeletion: ({ delete_after, password }) => orRpcFailure(CurrentUser.use((user) => leaving.schedule(user, password, delete_after))),
    CancelDeletion: () => orRpcFailure(CurrentUser.use(leaving.cancel))
  })
}))
