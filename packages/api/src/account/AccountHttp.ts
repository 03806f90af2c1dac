/** REST of a person's own account: see AccountApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect, Stream } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { AccountExport } from "./AccountExport.ts"
import { Leaving } from "./Leaving.ts"
import { OwnAccount } from "./OwnAccount.ts"

export const AccountHttp = HttpApiBuilder.group(EngLogApi, "account", Effect.fn(function*(handlers) {
  const account = yield* OwnAccount
  const leaving = yield* Leaving
  const exported = yield* AccountExport
  return handlers.handleAll({
    profile: () => CurrentUser.use(account.profile),
    updateProfile: ({ payload }) => CurrentUser.use((user) => account.updateProfile(user, payload)),
    preferences: () => CurrentUser.use(account.preferences),
    updatePreferences: ({ payload }) => CurrentUser.use((user) => account.updatePreferences(user, payload)),
    changePassword: ({ payload }) => CurrentUser.use((user) => account.changePassword(user, payload)),
    sessions: ({ query }) => CurrentUser.use((user) => account.sessions(user, query)),
    revokeSession: ({ params }) => CurrentUser.use((user) => account.revokeSession(user, params.id)),
    revokeSessions: () => CurrentUser.use(account.revokeSessions),
    createToken: Effect.fnUntraced(function*({ payload }) {
      const body = yield* account.createToken(yield* CurrentUser, payload)
      return HttpApiSchema.withHeaders({ body, headers: { location: `/v1/users/tokens/${body.id}` } })
    }),
    tokens: ({ query }) => CurrentUser.use((user) => account.tokens(user, query)),
    revokeToken: ({ params }) => CurrentUser.use((user) => account.revokeToken(user, params.id)),
    export: Effect.fnUntraced(function*() {
      const user = yield* CurrentUser
      // What breaks here breaks the answer off, as the contract says; there is no status any more that could tell it.
      const body = Stream.orDie(exported.document(user))
      return HttpApiSchema.withHeaders({ body, headers: { "content-disposition": "attachment; filename=\"englog-account.json\"" } })
    }),
    anonymize: ({ payload }) => CurrentUser.use((user) => leaving.anonymize(user, payload.password)),
    remove: ({ payload }) => CurrentUser.use((user) => leaving.remove(user, payload.password)),
    scheduleDeletion: ({ payload }) => CurrentUser.use((user) => leaving.schedule(user, payload.password, payload.delete_after)),
    deletion: () => CurrentUser.use(leaving.scheduled),
    cancelDeletion: () => CurrentUser.use(leaving.cancel)
  })
}))
