/**
 * What mail servers say about messages that they had taken, and the addresses to which nothing is sent since. Reports are handed in by
 * whatever reads the mailbox of `MAIL_FROM`, or of `MAIL_RETURN_PATH`; only our own ids, in Message-IDs and in return addresses, tell which message one is about.
 */
import { DeliveryId, type SuppressionId } from "@englog/domain/Ids"
import type { MailDelivery } from "@englog/domain/mail/Delivery"
import { type DeliveryReport, parseDeliveryReport, type RecipientReport } from "@englog/domain/mail/DeliveryReport"
import { isAddressProblem } from "@englog/domain/mail/EnhancedStatus"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import type { RecordedBounce, SuppressionPage, SuppressionsQuery } from "@englog/rpc/http/MailApi"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { administratorsOnly } from "../security/Operator.ts"
import { MailRepo } from "./MailRepo.ts"
import { SuppressionRepo } from "./SuppressionRepo.ts"

type Caller = CurrentUser["Service"]

export class Bounces extends Context.Service<Bounces, {
  readonly record: (caller: Caller, message: string) => Effect.Effect<RecordedBounce, BadRequest | Forbidden | SqlError>
  readonly suppressions: (caller: Caller, query: SuppressionsQuery) => Effect.Effect<typeof SuppressionPage.Type, BadRequest | Forbidden | SqlError>
  readonly remove: (caller: Caller, id: SuppressionId) => Effect.Effect<void, NotFound | SqlError>
}>()("@englog/api/mail/Bounces") {
  static readonly layer = Layer.effect(
    Bounces,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* MailRepo
      const addresses = yield* SuppressionRepo

      /** A token has shown its scope at the edge already. */
      const entitled = (caller: Caller) => caller.credential._tag === "ApiToken" ? Effect.void : administratorsOnly(caller)

      const ofOurs = Effect.fnUntraced(function*({ about }: DeliveryReport) {
        for (const id of about.slice(0, MAX_CANDIDATES)) {
          const delivery_id = decodeId(id)
          const found = Option.isSome(delivery_id) ? yield* repo.find(delivery_id.value) : Option.none()
          if (Option.isSome(found)) return found
        }
        return Option.none<MailDelivery>()
      })

      const ownAddress = Effect.fnUntraced(function*(caller: Caller) {
        return Option.map(yield* repo.recipient(caller.id), ({ email }) => email)
      })

      return Bounces.of({
        record: Effect.fn("Bounces.record")(function*(caller, message) {
          yield* entitled(caller)
          const report = parseDeliveryReport(message)
          if (Option.isNone(report)) return yield* new BadRequest({ error: "message: is no delivery status notification (RFC 3464)" })
          return yield* sql.withTransaction(Effect.gen(function*() {
            const delivery = yield* ofOurs(report.value)
            const told = recipientIn(report.value, Option.map(delivery, ({ to }) => to))
            const unchanged = { delivery_id: Option.getOrNull(Option.map(delivery, ({ id }) => id)), action: told.action, status_code: told.status, recorded: false, suppressed: false }
            if (Option.isNone(delivery) || told.action !== "failed") return unchanged
            const recorded = yield* repo.bounce(delivery.value.id, { ...told, diagnostic: told.diagnostic ?? told.status })
            const suppressed = isAddressProblem(told.status)
            // A report that comes twice does not undo what somebody has decided since.
            if (recorded && suppressed) yield* addresses.put(delivery.value.id, { smtp_code: told.smtp_code, status_code: told.status })
            return { ...unchanged, recorded, suppressed: recorded && suppressed }
          }))
        }),
        suppressions: Effect.fn("Bounces.suppressions")(function*(caller, { cursor, everybody = "false", limit = defaultPageSize }) {
          if (everybody === "true") yield* administratorsOnly(caller)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const address = everybody === "true" ? Option.none() : yield* ownAddress(caller)
          if (everybody === "false" && Option.isNone(address)) return { items: [], next_cursor: null }
          const { next_cursor, rows } = toPage(yield* addresses.list(address, after, limit + 1), limit)
          return { items: rows.map(({ suppression }) => suppression), next_cursor }
        }),
        remove: Effect.fn("Bounces.remove")(function*(caller, id) {
          const address = yield* ownAddress(caller)
          const removed = (caller.is_admin || Option.isSome(address)) && (yield* addresses.remove(id, caller.is_admin ? Option.none() : address))
          if (!removed) return yield* new NotFound({ error: `there is no suppressed address ${id}` })
        })
      })
    })
  )
}

/** Of the ids in a report; ours is the first, unless others forwarded it. */
const MAX_CANDIDATES = 20

/** Each of our messages has one recipient: whom the report names, or, where an alias led elsewhere, whoever it failed for. */
const recipientIn = ({ recipients }: DeliveryReport, to: Option.Option<string>): RecipientReport => {
  const named = recipients.find(({ address }) => Option.contains(Option.map(to, (one) => one.toLowerCase()), address?.toLowerCase()))
  return named ?? recipients.find(({ action }) => action === "failed") ?? recipients[0]
}

const decodeId = Schema.decodeUnknownOption(DeliveryId)
