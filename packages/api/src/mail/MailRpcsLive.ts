/** RPC of e-mail: see MailRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { MailRpcs } from "@englog/rpc/rpc/MailRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Bounces } from "./Bounces.ts"
import { Deliveries } from "./Deliveries.ts"

export const MailRpcsLive = MailRpcs.toLayer(Effect.gen(function*() {
  const deliveries = yield* Deliveries
  const bounces = yield* Bounces
  return MailRpcs.of({
    ListMailDeliveries: (query) => CurrentUser.use((user) => orRpcFailure(deliveries.list(user, query))),
    GetMailDelivery: ({ id }) => CurrentUser.use((user) => orRpcFailure(deliveries.get(user, id))),
    ResendMail: ({ id }) =>
      CurrentUser.use((user) => orRpcFailure(deliveries.resend(user, id))).pipe(
        Effect.map((task_id) => ({ task_id, message: "E-mail queued successfully" }))
      ),
    ListMailSuppressions: (query) => CurrentUser.use((user) => orRpcFailure(bounces.suppressions(user, query))),
    RemoveMailSuppression: ({ id }) => CurrentUser.use((user) => orRpcFailure(bounces.remove(user, id))),
    ReportMailBounce: ({ message }) => CurrentUser.use((user) => orRpcFailure(bounces.record(user, message))),
    SendTestMail: () => CurrentUser.use((user) => orRpcFailure(deliveries.test(user))),
    ListMailTemplates: () => CurrentUser.use((user) => Effect.map(orRpcFailure(deliveries.templates(user)), (items) => ({ items, next_cursor: null }))),
    GetMailTemplate: ({ template }) => CurrentUser.use((user) => orRpcFailure(deliveries.preview(user, template)))
  })
}))
