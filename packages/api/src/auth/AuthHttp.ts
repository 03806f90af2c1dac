/**
 * `/v1/auth/*`.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { LogoutResponse } from "@englog/rpc/http/AuthApi"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Accounts } from "./Accounts.ts"
import { clientAddress } from "../security/ClientAddress.ts"

export const AuthHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "auth", Effect.fn(function*(handlers) {
    const accounts = yield* Accounts
    return handlers.handleAll({
      register: ({ payload }) => accounts.register(payload),
      login: ({ payload, request }) => accounts.login(payload, clientAddress(request)),
      refresh: ({ payload }) => accounts.refresh(payload.refresh_token),
      logout: ({ payload }) =>
        Effect.as(accounts.logout(payload.refresh_token), new LogoutResponse({ message: "Successfully logged out" })),
      me: () => Effect.flatMap(CurrentUser, (user) => accounts.me(user.id))
    })
  }))
} as const
