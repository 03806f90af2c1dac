/**
 * Posting e-mail: with the transaction that is its cause, so that both are there or neither is. What cannot be sent is recorded as
 * such and never keeps the caller from its work.
 */
import { DeliveryId, type OrganizationId, TaskId, type UserId } from "@englog/domain/Ids"
import type { DeliveryStatus } from "@englog/domain/mail/Delivery"
import type { Mail } from "@englog/domain/mail/Mail"
import { EmailNotification } from "@englog/domain/tasks/EmailNotification"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { MailRepo, type Recipient } from "./MailRepo.ts"
import { PublicUrl } from "./PublicUrl.ts"

export interface Posted {
  readonly id: DeliveryId
  readonly task_id: TaskId | null
  readonly status: DeliveryStatus
}

/** Whose message it is; the address may be somebody else's. */
export interface Sender {
  readonly user_id: UserId
  readonly organization_id: OrganizationId
}

export class Mails extends Context.Service<Mails, {
  readonly post: (sender: Sender, to: string, mail: Mail) => Effect.Effect<Posted, SqlError>
  /** To a user's own address; nothing where there is no such user, or `mail` has nothing to say to them. */
  readonly postTo: (user: UserId, mail: (recipient: Recipient, url: string | null) => Mail | undefined) => Effect.Effect<Option.Option<Posted>, SqlError>
  /** The task that sends it, within the caller's transaction; none where too much waits already. */
  readonly enlist: (sender: Sender, id: DeliveryId) => Effect.Effect<Option.Option<TaskId>, SqlError>
  /** For links; null where nobody has told the server. */
  readonly url: string | null
}>()("@englog/api/mail/Mails") {
  static readonly layer = Layer.effect(
    Mails,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* MailRepo
      const queue = yield* TaskQueue
      const url = Option.getOrNull(yield* PublicUrl)

      const enlist: Mails["Service"]["enlist"] = (sender, delivery_id) =>
        queue.enlist({
          ...sender,
          kind: EmailNotification.kind,
          prefix: "mail",
          payload: JSON.stringify({ delivery_id }),
          private_input: null,
          policy: EmailNotification.policy
        }).pipe(
          Effect.map(({ task_id }) => Option.some(task_id)),
          Effect.catchTags({
            // It waits for no other task.
            DependencyProblem: Effect.die,
            QueueFull: (error) => Effect.as(Effect.logWarning("an e-mail was not queued: too much waits already", error.message), Option.none<TaskId>())
          })
        )

      /** Why nothing is to be sent to this address at the moment. */
      const obstacle = Effect.fnUntraced(function*(to: string): Effect.fn.Return<Unsent | undefined, SqlError> {
        if (!(yield* repo.canBeSent)) return unsent.not_configured
        const { messages, undeliverable } = yield* repo.addressOf(to)
        return undeliverable ? unsent.undeliverable : messages >= MAX_PER_DAY ? unsent.too_many : undefined
      })

      const post: Mails["Service"]["post"] = Effect.fn("Mails.post")((sender, to, mail) =>
        sql.withTransaction(Effect.gen(function*() {
          const id = DeliveryId.make(randomUUID())
          const found = yield* obstacle(to)
          const task_id = found === undefined ? Option.getOrNull(yield* enlist(sender, id)) : null
          const state = found ?? (task_id === null ? unsent.queue_full : { status: "queued", response: null } as const)
          yield* repo.insert({ id, ...sender, to, mail, ...state, task_id })
          return { id, task_id, status: state.status }
        })))

      return Mails.of({
        post,
        postTo: Effect.fn("Mails.postTo")(function*(user, make) {
          const recipient = yield* repo.recipient(user)
          const mail = Option.isSome(recipient) ? make(recipient.value, url) : undefined
          return Option.isSome(recipient) && mail !== undefined
            ? Option.some(yield* post(senderOf(recipient.value), recipient.value.email, mail))
            : Option.none()
        }),
        enlist,
        url
      })
    })
  )
}

const senderOf = ({ organization_id, user_id }: Recipient): Sender => ({ organization_id, user_id })

/** To one address, by whomever: nobody is to be flooded through us. */
export const MAX_PER_DAY = 30

interface Unsent {
  readonly status: DeliveryStatus
  readonly response: string
}

const unsent = {
  not_configured: { status: "not_configured", response: "no worker that is connected can send e-mail: SMTP_URL is not set" },
  undeliverable: { status: "failed", response: "a mail server has said that there is no such address" },
  too_many: { status: "failed", response: `${MAX_PER_DAY} messages to this address within a day are enough` },
  queue_full: { status: "failed", response: "too many tasks wait already" }
} as const satisfies Record<string, Unsent>
