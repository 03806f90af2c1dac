/** RPC of a person's own account: see AccountRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { AccountRpcs } from "@englog/rpc/rpc/AccountRpcs"
import { RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect, Stream } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { AccountExport } from "./AccountExport.ts"
import { Leaving } from "./Leaving.ts"
import { OwnAccount } from "./OwnAccount.ts"

export const AccountRpcsLive = AccountRpcs.toLayer(Effect.gen(function*() {
  const account = yield* OwnAccount
  const leaving = yield* Leaving
  const exported = yield* AccountExport
  return AccountRpcs.of({
    GetProfile: () => orRpcFailure(CurrentUser.use(account.profile)),
    UpdateProfile: (change) => orRpcFailure(CurrentUser.use((user) => account.updateProfile(user, change))),
    GetPreferences: () => orRpcFailure(CurrentUser.use(account.preferences)),
    UpdatePreferences: (change) => orRpcFailure(CurrentUser.use((user) => account.updatePreferences(user, change))),
    ListSessions: (page) => orRpcFailure(CurrentUser.use((user) => account.sessions(user, page))),
    ListApiTokens: (page) => orRpcFailure(CurrentUser.use((user) => account.tokens(user, page))),
    GetDeletion: () => orRpcFailure(CurrentUser.use(leaving.scheduled)),
    ChangePassword: (change) => orRpcFailure(CurrentUser.use((user) => account.changePassword(user, change))),
    RevokeSession: ({ id }) => orRpcFailure(CurrentUser.use((user) => account.revokeSession(user, id))),
    RevokeSessions: () => orRpcFailure(CurrentUser.use(account.revokeSessions)),
    CreateApiToken: (token) => orRpcFailure(CurrentUser.use((user) => account.createToken(user, token))),
    RevokeApiToken: ({ id }) => orRpcFailure(CurrentUser.use((user) => account.revokeToken(user, id))),
    ExportAccount: () =>
      Stream.unwrap(CurrentUser.use((user) => Effect.succeed(exported.records(user)))).pipe(
        Stream.mapError(({ _tag, message }) =>
          new RpcFailure({
            reason: _tag === "StreamCut" ? "unauthorized" : "unavailable",
            message: _tag === "StreamCut" ? message : "the database does not answer at the moment; export again",
            retry_after: null
          }))
      ),
    AnonymizeAccount: ({ password }) => orRpcFailure(CurrentUser.use((user) => leaving.anonymize(user, password))),
    DeleteAccount: ({ password }) => orRpcFailure(CurrentUser.use((user) => leaving.remove(user, password))),
    ScheduleDeletion: ({ delete_after, password }) => orRpcFailure(CurrentUser.use((user) => leaving.schedule(user, password, delete_after))),
    CancelDeletion: () => orRpcFailure(CurrentUser.use(leaving.cancel))
  })
}))
