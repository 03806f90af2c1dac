/** `/v1/mail` and `/v1/admin/mail`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Bounces } from "./Bounces.ts"
import { Deliveries } from "./Deliveries.ts"

export const MailHttp = HttpApiBuilder.group(EngLogApi, "mail", Effect.fn(function*(handlers) {
  const deliveries = yield* Deliveries
  const bounces = yield* Bounces
  return handlers.handleAll({
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(deliveries.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(deliveries.get(user, params.id))),
    resend: ({ params }) =>
      CurrentUser.use((user) => orUnavailable(deliveries.resend(user, params.id))).pipe(
        Effect.map((task_id) => ({ task_id, message: "E-mail queued successfully" }))
      ),
    suppressions: ({ query }) => CurrentUser.use((user) => orUnavailable(bounces.suppressions(user, query))),
    removeSuppression: ({ params }) => CurrentUser.use((user) => orUnavailable(bounces.remove(user, params.id))),
    bounce: ({ payload }) => CurrentUser.use((user) => orUnavailable(bounces.record(user, typeof payload === "string" ? payload : payload.message))),
    test: () => CurrentUser.use((user) => orUnavailable(deliveries.test(user))),
    templates: () => CurrentUser.use((user) => Effect.map(deliveries.templates(user), (items) => ({ items, next_cursor: null }))),
    preview: ({ params }) => CurrentUser.use((user) => deliveries.preview(user, params.template))
  })
}))
