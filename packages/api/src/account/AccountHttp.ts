/** REST of a person's own account: see AccountApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect, Stream } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { AccountExport } from "./AccountExport.ts"
import { EmailChanges } from "./EmailChanges.ts"
import { Leaving } from "./Leaving.ts"
import { OwnAccount } from "./OwnAccount.ts"

export const AccountHttp = HttpApiBuilder.group(EngLogApi, "account", Effect.fn(function*(handlers) {
  const account = yield* OwnAccount
  const emails = yield* EmailChanges
  const leaving = yield* Leaving
  const exported = yield* AccountExport
  return handlers.handleAll({
    profile: ({ headers }) => Effect.map(CurrentUser.use(account.profile), (profile) => shownUnlessKnown(profile, headers)),
    updateProfile: ({ headers, payload }) =>
      CurrentUser.use((user) => Effect.map(account.updateProfile(user, payload, seenIn(headers)), shown)),
    preferences: ({ headers }) => Effect.map(CurrentUser.use(account.preferences), (preferences) => shownUnlessKnown(preferences, headers)),
    updatePreferences: ({ headers, payload }) =>
      CurrentUser.use((user) => Effect.map(account.updatePreferences(user, payload, seenIn(headers)), shown)),
    changePassword: ({ payload }) => CurrentUser.use((user) => account.changePassword(user, payload)),
    requestEmailChange: ({ payload }) => CurrentUser.use((user) => emails.request(user, payload)),
    emailChange: () => CurrentUser.use(emails.open),
    withdrawEmailChange: () => CurrentUser.use(emails.withdraw),
    confirmEmailChange: ({ payload }) => CurrentUser.use((user) => Effect.map(emails.confirm(user, payload.token), shown)),
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
