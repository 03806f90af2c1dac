/** What became of e-mail, as its owner and administrators see it; sending it again where somebody wants that; previews. */
import type { DeliveryId, TaskId } from "@englog/domain/Ids"
import { type MailDelivery, resendable } from "@englog/domain/mail/Delivery"
import { MailTemplate } from "@englog/domain/mail/Mail"
import { renderMail, sampleMails } from "@englog/domain/mail/Templates"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, Conflict, Forbidden, NotFound, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { DeliveriesQuery, DeliveryPage, MailPreview } from "@englog/rpc/http/MailApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { administratorsOnly } from "../security/Operator.ts"
import { MailRepo, MAX_SENDS } from "./MailRepo.ts"
import { Mails } from "./Mails.ts"
import { SuppressionRepo } from "./SuppressionRepo.ts"

type Caller = CurrentUser["Service"]

export class Deliveries extends Context.Service<Deliveries, {
  readonly list: (caller: Caller, query: DeliveriesQuery) => Effect.Effect<typeof DeliveryPage.Type, BadRequest | Forbidden | SqlError>
  readonly get: (caller: Caller, id: DeliveryId) => Effect.Effect<MailDelivery, NotFound | SqlError>
  readonly resend: (caller: Caller, id: DeliveryId) => Effect.Effect<TaskId, Conflict | NotFound | TooManyRequests | SqlError>
  readonly test: (caller: Caller) => Effect.Effect<MailDelivery, Forbidden | NotFound | SqlError>
  readonly templates: (caller: Caller) => Effect.Effect<ReadonlyArray<MailPreview>, Forbidden>
  readonly preview: (caller: Caller, template: string) => Effect.Effect<MailPreview, Forbidden | NotFound>
}>()("@englog/api/mail/Deliveries") {
  static readonly layer = Layer.effect(
    Deliveries,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* MailRepo
      const suppressions = yield* SuppressionRepo
      const mails = yield* Mails

      const get = Effect.fn("Deliveries.get")(function*(caller: Caller, id: DeliveryId) {
        const found = yield* repo.find(id)
        if (Option.isSome(found) && (caller.is_admin || found.value.user_id === caller.id)) return found.value
        return yield* new NotFound({ error: `there is no e-mail ${id}` })
      })

      return Deliveries.of({
        list: Effect.fn("Deliveries.list")(function*(caller, { cursor, everybody = "false", limit = defaultPageSize, status }) {
          if (everybody === "true") yield* administratorsOnly(caller)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const user_id = everybody === "true" ? Option.none() : Option.some(caller.id)
          const { next_cursor, rows } = toPage(yield* repo.list({ after, status: Option.fromUndefinedOr(status), user_id }, limit + 1), limit)
          return { items: rows.map(({ delivery }) => delivery), next_cursor }
        }),
        get,
        resend: Effect.fn("Deliveries.resend")((caller, id) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* repo.lock(id)
            const { organization_id, status, user_id } = yield* get(caller, id)
            if (!resendable.has(status)) return yield* new Conflict({ error: `status: an e-mail that is ${status} cannot be sent again` })
            if (!(yield* repo.canBeSent)) return yield* new Conflict({ error: "no worker that is connected can send e-mail: set SMTP_URL where a worker runs" })
            yield* suppressions.forgive(id)
            const task_id = yield* mails.enlist({ organization_id, user_id }, id)
            if (Option.isNone(task_id)) return yield* new TooManyRequests({ error: "too many tasks wait already", retry_after: 5 })
            if (yield* repo.requeue(id, task_id.value)) return task_id.value
            return yield* new Conflict({ error: `an e-mail is sent again at most ${MAX_SENDS - 1} times, and not once a mail server had taken it: its text is no longer kept` })
          }))
        ),
        test: Effect.fn("Deliveries.test")(function*(caller) {
          yield* administratorsOnly(caller)
          const at = yield* DateTime.now
          const posted = yield* mails.postTo(caller.id, () => ({ template: "test", at }))
          return yield* Option.isSome(posted) ? get(caller, posted.value.id) : new NotFound({ error: "this account no longer exists" })
        }),
        templates: Effect.fn("Deliveries.templates")((caller) =>
          Effect.as(administratorsOnly(caller), MailTemplate.literals.map(previewOf))),
        preview: Effect.fn("Deliveries.preview")(function*(caller, name) {
          yield* administratorsOnly(caller)
          const template = MailTemplate.literals.find((one) => one === name)
          return template === undefined ? yield* new NotFound({ error: `template: there is no template ${name}` }) : previewOf(template)
        })
      })
    })
  )
}

const previewOf = (template: MailTemplate): MailPreview => ({ template, ...renderMail(sampleMails[template]) })
